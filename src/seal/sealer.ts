import { AuditError } from '../errors.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { sqlStateOf } from '../postgres/sql-state.ts'
import { compareCursors, type ReaderCursor } from '../reader/cursor.ts'
import { type ReaderPosition, readPosition } from '../reader/eras.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { appendSeal } from './append.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { isSignedBy } from './keys.ts'
import { leafLength } from './leaf.ts'
import { type NextLeaves, readManyLeaves, readNextLeaves } from './next-leaves.ts'
import { parseNote } from './note.ts'
import type { Signer } from './signer.ts'
import { readHead, type StoredCheckpoint, sealedPlace } from './stored-checkpoint.ts'
import { readTilesFor } from './stored-tiles.ts'
import { hashOfLeaf, RightEdge, type TileRoot } from './tree.ts'

/** What one step did. */
export interface SealStep {
  /** The checkpoint that was added; undefined where there was nothing to seal, or another process was faster. */
  readonly added: { readonly number: number; readonly size: number; readonly entries: number } | undefined
  /** Whether there may be more to seal already. */
  readonly isMore: boolean
}

/** How many entries one step seals at most. */
export const defaultStep = 10_000

/**
 * Seals a log, step by step. Between two steps all that it keeps is in the database, but for what it signed last: where that is
 * no longer there, it signs nothing more.
 */
export class Sealer {
  readonly #log: ReaderLog
  readonly #signer: Signer
  #last: { readonly number: number; readonly size: number; readonly root: Buffer } | undefined
  /** What comes behind a place, on its way. */
  #ahead: { readonly after: ReaderCursor; readonly next: Promise<NextLeaves | undefined> } | undefined
  /** The number that another process has added first. */
  #overtaken: number | undefined

  constructor(log: ReaderLog, signer: Signer) {
    this.#log = log
    this.#signer = signer
  }

  /**
   * Adds a checkpoint for the entries that are committed and not sealed yet. Any number may do so at once.
   *
   * @throws AuditError `AUDIT_SEALS_BROKEN`, where the newest checkpoint is not what the tree says, or not signed by a key that is known
   */
  async step(limit = defaultStep): Promise<SealStep> {
    const position = await readPosition(this.#log)
    const head = await readHead(this.#log, position.log)
    const next = await this.#takeNext(position, sealedPlace(head), limit)
    if (!next) return { added: undefined, isMore: false }
    const isMore = next.count >= limit
    // before the first checkpoint an entry may still be erased
    if (isMore && head) this.#readAhead(position, next.placeOf(next.count - 1), limit)
    this.#checkOrder(head, next)
    const edge = await this.#edgeOf(position.log, head)
    const tiles: TileRoot[] = []
    for (let at = 0; at < next.leaves.length; at += leafLength) {
      edge.append(hashOfLeaf(next.leaves.subarray(at, at + leafLength)), 0, (tile) => tiles.push(tile))
    }
    const { size } = edge
    const root = edge.root()
    const number = (head?.number ?? 0) + 1
    const note = await this.#signer.sign({ size, root })
    try {
      const firstLeaf = head?.size ?? 0
      await appendSeal(this.#log, position.log, { next, firstLeaf, tiles, number, size, root, note })
    } catch (error) {
      if (!isOvertaken(error)) throw error
      // whoever was faster has added the checkpoint: this one is not tried again
      if (this.#overtaken === number)
        throw this.#broken('leaves or tiles are there that no checkpoint covers')
      this.#overtaken = number
      return { added: undefined, isMore: true }
    }
    this.#last = { number, size, root }
    return { added: { number, size, entries: next.count }, isMore }
  }

  async #takeNext(
    position: ReaderPosition,
    after: ReaderCursor,
    limit: number,
  ): Promise<NextLeaves | undefined> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead && compareCursors(ahead.after, after) === 0) return ahead.next
    return readNextLeaves(this.#log, position, after, limit)
  }

  /** The database makes the next leaves, while those at hand are hashed and stored. */
  #readAhead(position: ReaderPosition, after: ReaderCursor, limit: number): void {
    const next = readManyLeaves(this.#log, position, after, limit)
    next.catch(() => {}) // it is thrown where it is awaited
    this.#ahead = { after, next }
  }

  /** The tree as it is stored, once it is certain that the newest checkpoint is of it. */
  async #edgeOf(name: string, head: StoredCheckpoint | undefined): Promise<RightEdge> {
    if (!head && this.#last)
      throw this.#broken(`checkpoint ${this.#last.number}, which was signed here, is not there`)
    if (!head) return new RightEdge()
    this.#checkHead(head)
    const range = { start: 0, end: head.size }
    try {
      const edge = new RightEdge(head.size, (await readTilesFor(this.#log, name, [range])).rootsOf(range))
      if (edge.root().equals(head.root)) return edge
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
    throw this.#broken(`the tree does not have the root of checkpoint ${head.number}`)
  }

  #checkHead({ number, size, root, note }: StoredCheckpoint): void {
    const signed = parseNote(note)
    const checkpoint = signed && parseCheckpoint(signed.text)
    if (!checkpoint || checkpoint.size !== size || !checkpoint.root.equals(root)) {
      throw this.#broken(`checkpoint ${number} is not what its note says`)
    }
    if (checkpoint.origin !== this.#signer.origin) {
      throw this.#broken(
        `checkpoint ${number} is of the log ${JSON.stringify(checkpoint.origin)}, and this one is called ${JSON.stringify(this.#signer.origin)}`,
      )
    }
    if (!this.#signer.keys.some((key) => isSignedBy(signed, key))) {
      throw this.#broken(
        `checkpoint ${number} is not signed by the key at hand. After a change of keys list the former ones with the option formerKeys`,
      )
    }
    const last = this.#last
    const isBehind = last && (number < last.number || size < last.size)
    const differs = last && number === last.number && !root.equals(last.root)
    if (isBehind || differs)
      throw this.#broken(`checkpoint ${last.number}, which was signed here, is not there`)
  }

  #checkOrder(head: StoredCheckpoint | undefined, next: NextLeaves): void {
    let before = sealedPlace(head)
    for (let index = 0; index < next.count; index++) {
      const place = next.placeOf(index)
      if (compareCursors(before, place) >= 0) throw this.#broken('the database gave entries in another order')
      before = place
    }
  }

  #broken(reason: string): AuditError {
    return new AuditError(
      'AUDIT_SEALS_BROKEN',
      `The audit log ${quoteTable(this.#log.table)} was not sealed on: ${reason}. Nothing was signed. Run "npx prisma-extension-audit verify" to see what was altered, and see docs/seals.md, "When sealing stops".`,
    )
  }
}

/** Another process added the same checkpoint first. */
function isOvertaken(error: unknown): boolean {
  return sqlStateOf(error instanceof AuditError ? error.cause : error) === '23505'
}
