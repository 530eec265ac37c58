import { type Checkpoint, parseCheckpoint } from '../checkpoint.ts'
import { isSignedBy, type VerifierKey } from '../keys.ts'
import { parseNote } from '../note.ts'
import type { StoredCheckpoint } from '../stored-checkpoint.ts'

/** Whose checkpoints are believed. */
export interface TrustedKeys {
  /** From the oldest to the newest: once a newer one has signed, an older one no longer counts. */
  readonly keys: readonly VerifierKey[]
  /** The log that checkpoints have to be of; undefined for that of the first one. */
  readonly origin: string | undefined
}

/** What is wrong with a checkpoint by itself, and which key signed it. */
export class CheckpointCheck {
  readonly #trusted: TrustedKeys
  #origin: string | undefined
  #newestKey = 0
  #before: Pick<StoredCheckpoint, 'number' | 'size'>

  /** @param before the last one that was checked already */
  constructor(trusted: TrustedKeys, before: Pick<StoredCheckpoint, 'number' | 'size'>) {
    this.#trusted = trusted
    this.#origin = trusted.origin
    this.#before = before
  }

  /** @returns what is wrong, in words; undefined where nothing is */
  problemOf(stored: StoredCheckpoint): string | undefined {
    if (stored.number < 1) return 'the first one has the number 1'
    const before = this.#before
    this.#before = { number: stored.number, size: Math.max(stored.size, before.size) }
    if (stored.number === before.number) return 'there are two of this number'
    if (stored.number !== before.number + 1) {
      return `the one before it has the number ${before.number}: what was between is gone`
    }
    if (stored.size <= before.size) return `it covers ${stored.size} entries, not more than the one before`
    return this.#problemOfNote(stored)
  }

  #problemOfNote({ note, size, root }: StoredCheckpoint): string | undefined {
    const signed = parseNote(note)
    const checkpoint: Checkpoint | undefined = signed && parseCheckpoint(signed.text)
    if (!signed || !checkpoint) return 'its note is no checkpoint'
    if (checkpoint.size !== size) return `it says ${size} entries, and its note ${checkpoint.size}`
    if (!checkpoint.root.equals(root)) return 'it has another root than its note'
    this.#origin ??= checkpoint.origin
    if (checkpoint.origin !== this.#origin) {
      return `it is of the log ${JSON.stringify(checkpoint.origin)}, not of ${JSON.stringify(this.#origin)}`
    }
    const key = this.#trusted.keys.findLastIndex((one) => isSignedBy(signed, one))
    if (key === -1) return 'it is signed by none of the keys that were given'
    if (key < this.#newestKey) return 'it is signed by a key that had been replaced before'
    this.#newestKey = key
    return undefined
  }
}
