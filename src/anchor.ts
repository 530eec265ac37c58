/** A place outside of the database where signed checkpoints are kept: what the database says later has to agree with them. */
export interface Anchor {
  /** Names, in the database, how far the anchor is. 1 to 100 characters, and never another one for the same anchor. */
  readonly name: string
  /** Milliseconds between two checkpoints at least; those between are covered by the next one. Default 0: each is published. */
  readonly every?: number
  /**
   * Keeps a checkpoint. When it returns, the checkpoint is kept durably. It may get the same one twice, after an error, and from
   * two processes that seal at once; never an older one after a newer one from the same process.
   *
   * @param note a C2SP signed note
   * @returns what to keep in the database, as JSON, for the next call; undefined leaves what is kept
   * @throws whatever says why not: it is tried again, and then perhaps with a later checkpoint, which covers this one
   */
  publish(note: string, checkpoint: AnchoredCheckpoint, signal: AbortSignal): Promise<unknown>
  /** Reads back all that was kept, in any order: for `verify`. Left out where that can't be done. */
  read?(signal: AbortSignal): AsyncIterable<string>
}

/** What an anchor gets with the note of a checkpoint. */
export interface AnchoredCheckpoint {
  readonly origin: string
  /** How many entries it covers. */
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
  /** What `publish` returned last; null before. */
  readonly state: unknown
  /** The consistency proof of RFC 9162 from an earlier size on: hashes of 32 bytes. */
  consistencyFrom(size: number): Promise<readonly Uint8Array[]>
}
