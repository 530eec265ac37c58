import { AuditError } from '../../errors.ts'
import { columnNames } from '../../log/columns.ts'
import { quoteTable } from '../../postgres/identifiers.ts'
import { eraOf } from '../../reader/committed-range.ts'
import { compareCursors, type ReaderCursor, startOf } from '../../reader/cursor.ts'
import { type ReaderPosition, readKnownPosition } from '../../reader/eras.ts'
import type { ReaderLog } from '../../reader/reader-log.ts'
import type { ExactRow } from '../../sink.ts'
import { idInLeaf, leafLength, saltLength, seqInLeaf } from '../leaf.ts'
import {
  readCheckpointOf,
  readCheckpointsAfter,
  readHead,
  type StoredCheckpoint,
} from '../stored-checkpoint.ts'
import { readTilesFor } from '../stored-tiles.ts'
import { TileHashes } from '../subtrees.ts'
import { AnchorCheck, type ReadableAnchor, readKept } from './anchored.ts'
import { CheckpointCheck, checkpointsBetween, type TrustedKeys } from './checkpoint-check.ts'
import { Erasures } from './erasures.ts'
import type { Finding, OnFinding } from './finding.ts'
import {
  type ChangedRow,
  changed,
  isSealedAs,
  leavesIn,
  RowMatch,
  reordered,
  type StrayRow,
} from './match-rows.ts'
import { prefetch } from './prefetch.ts'
import {
  placeOfRow,
  type RowValues,
  readRowsBehind,
  readRowsBetween,
  readRowsById,
  textIn,
} from './rows-between.ts'
import { readRowsWithoutPlace } from './rows-without-place.ts'
import { endOfPart, readSealedPart, type SealedPart } from './sealed-part.ts'
import { TreeCheck } from './tree-check.ts'
import { readUnsealed, type Unsealed } from './unsealed.ts'
import { findUnsigned } from './unsigned.ts'

/** How to verify. */
export interface VerifyOptions extends TrustedKeys {
  /** The number of a checkpoint: what it covers is taken as it is, and only what comes behind it is checked. */
  readonly since?: number
  /** Where checkpoints were kept outside. The tree has to be that of each of them. */
  readonly anchors?: readonly ReadableAnchor[]
  /** Ends it before its time. */
  readonly signal?: AbortSignal
  readonly onFinding?: OnFinding
  /** The entries with these numbers that have left the table for the archive. Without it, they count as missing. */
  readonly archived?: ((seqs: readonly bigint[]) => Promise<readonly ExactRow[]>) | undefined
  readonly onProgress?: (progress: VerifyProgress) => void
}

export interface VerifyProgress {
  /** Leaves so far, and all that there are. */
  readonly done: number
  readonly total: number
}

/** What was verified, and what was found. */
export interface SealVerification {
  /** Whether everything fits. Entries that are not sealed yet are no finding. */
  readonly ok: boolean
  /** The log that its checkpoints are of. */
  readonly log: string
  readonly findings: readonly Finding[]
  /** How many there are; of more than 1,000 the rest is not in the list. */
  readonly found: number
  /** Leaves that were compared with their rows. */
  readonly entries: number
  /** How many of them were in the archive; left out where none was. */
  readonly archived?: number
  readonly checkpoints: number
  /** Of these entries, those whose values were erased since they were sealed, as an entry `auditLog.erase` tells. */
  readonly erased: number
  /** The newest checkpoint that fits; go on behind it with the option `since`. Null where none does. */
  readonly verifiedUntil: {
    readonly number: number
    readonly size: number
    readonly createdAt: string
  } | null
  /** How many of the entries an anchor has a checkpoint of; null where no anchor was given. The others nothing outside protects yet. */
  readonly anchored: number | null
  /** Whether all was verified, or it was ended before. */
  readonly isComplete: boolean
  /** What nothing protects yet. */
  readonly unsealed: Unsealed
}

const mostFindings = 1_000

/** How many rows are kept until it is known whether they are new or were moved, and how many are known to be changed. */
const mostKept = 10_000

/**
 * Computes everything anew, from the rows of the log: leaves, tree, checkpoints, signatures. In one pass, in memory that does
 * not grow with the log.
 *
 * @throws AuditError where the log or an anchor can't be read, or there is no checkpoint `since`
 */
export async function verifyLog(log: ReaderLog, options: VerifyOptions): Promise<SealVerification> {
  const { anchors = [], signal = new AbortController().signal } = options
  const findings: Finding[] = []
  // before the database, which then has every checkpoint that they have
  const kept = await readKept(anchors, options, signal, (finding) => findings.push(finding))
  const position = await readKnownPosition(log)
  const head = await readHead(log, position.log)
  const run = new VerifyRun(log, position, head, options)
  await run.begin(kept, findings)
  await run.verify()
  return run.end()
}

/** A part of what was sealed, or rows that stand in its place. */
type Step = { readonly part: SealedPart; readonly start: number } | { readonly rows: readonly RowValues[] }

class VerifyRun {
  readonly #log: ReaderLog
  readonly #position: ReaderPosition
  readonly #head: StoredCheckpoint | undefined
  readonly #options: VerifyOptions
  readonly #findings: Finding[] = []
  /** Those of which it is not known yet which checkpoint proves them. */
  #unnamed: Finding[] = []
  /** The leaves that one checkpoint is the first to cover. */
  #covered: { readonly from: number; readonly size: number; readonly number: number } | undefined
  #found = 0
  #checkpoints = 0
  #entries = 0
  #erased = 0
  readonly #erasures: Erasures | undefined
  /** Ids of rows that are said to be changed: what tells of their erasure would say so once more. */
  readonly #changed = new Set<string>()
  /** Entries `auditLog.erase` of the part at hand. */
  #telling: RowValues[] = []
  #archived = 0
  #since: StoredCheckpoint | undefined
  #verifiedUntil: StoredCheckpoint | undefined
  #isComplete = true
  #anchors: AnchorCheck | undefined
  /** Rows without a leaf where they stand: those that were moved are named where their leaf is. */
  readonly #stray = new Map<string, StrayRow>()
  /** Ids of rows that were found for a leaf elsewhere. */
  readonly #moved = new Set<string>()

  constructor(
    log: ReaderLog,
    position: ReaderPosition,
    head: StoredCheckpoint | undefined,
    options: VerifyOptions,
  ) {
    this.#log = log
    this.#position = position
    this.#head = head
    this.#options = options
    this.#erasures = head && new Erasures(log, position, head)
  }

  /** Finds the checkpoint to begin with. */
  async begin(kept: Awaited<ReturnType<typeof readKept>>, findings: readonly Finding[]): Promise<void> {
    for (const finding of findings) this.#report(finding)
    await this.#findSince()
    this.#anchors = new AnchorCheck(kept, this.#since?.size ?? 0, (finding) => this.#add(finding))
  }

  async #findSince(): Promise<void> {
    const { since } = this.#options
    if (since === undefined || since === 0) return
    const [checkpoint] = await readCheckpointsAfter(this.#log, this.#position.log, since - 1)
    if (checkpoint?.number !== since) {
      throw new AuditError(
        'AUDIT_NOT_SEALED',
        `The audit log ${quoteTable(this.#log.table)} has no checkpoint ${since} to begin with, so nothing was verified.`,
      )
    }
    this.#since = checkpoint
    this.#verifiedUntil = checkpoint
  }

  async verify(): Promise<void> {
    const { signal, onProgress } = this.#options
    const total = this.#head?.size ?? 0
    const tree = await this.#treeFrom()
    const checks = new CheckpointCheck(this.#options, this.#since ?? { number: 0, size: 0 })
    const checkpoints = checkpointsBetween(
      ...([this.#log, this.#position.log, this.#since?.number ?? 0, this.#head?.number ?? 0] as const),
    )
    if (this.#since) this.#checkSince(tree)
    let next = (await checkpoints.next()).value ?? undefined
    let match: RowMatch | undefined
    let newest = this.#since?.size ?? 0
    const anchors = this.#anchors as AnchorCheck
    anchors.compare(tree, newest)
    for await (const step of prefetch(this.#steps(), 2)) {
      if ('rows' in step) {
        for (const row of step.rows) {
          match?.add(row)
          if (textIn(row, 'action') === 'auditLog.erase') this.#telling.push(row)
        }
        continue
      }
      await this.#endPart(match)
      await this.#nameAll()
      if (signal?.aborted) {
        this.#isComplete = false
        return
      }
      const { part, start } = step
      this.#checkSegments(part, start)
      const leaves = leavesIn(part.segments)
      for (const leaf of leaves) {
        if (leaf.index !== tree.size) break // said already, and no later root can be computed
        tree.add(leaf.bytes, part.tileRoots)
        while (next && next.size <= tree.size) {
          if (this.#checkCheckpoint(next, checks, tree)) leaf.lastOf = next
          newest = next.size
          next = (await checkpoints.next()).value ?? undefined
        }
        if (anchors.next === tree.size) anchors.compare(tree, newest)
      }
      this.#entries += leaves.length
      match = new RowMatch(leaves, this.#position, (finding) => this.#add(finding))
      onProgress?.({ done: endOfPart(start, total), total })
    }
    await this.#endPart(match)
    await this.#checkUnsealedErasures()
    await this.#nameAll()
    for (; next; next = (await checkpoints.next()).value ?? undefined)
      this.#checkCheckpoint(next, checks, tree)
    anchors.end(tree)
  }

  async end(): Promise<SealVerification> {
    for (const finding of await findUnsigned(this.#log, this.#position.log)) this.#add(finding)
    await this.#nameAll()
    for (const stray of await readRowsWithoutPlace(this.#log)) this.#keepStray(stray)
    for (const { entry } of this.#stray.values()) {
      if (!this.#moved.has(entry.id)) this.#addStray(entry)
    }
    await this.#nameAll()
    const last = this.#verifiedUntil
    return {
      ...{ ok: this.#found === 0, log: this.#position.log, findings: this.#findings, found: this.#found },
      ...(this.#archived > 0 ? { archived: this.#archived } : {}),
      ...{ entries: this.#entries, checkpoints: this.#checkpoints, erased: this.#erased },
      isComplete: this.#isComplete,
      anchored: this.#options.anchors?.length ? (this.#anchors?.fitting ?? 0) : null,
      verifiedUntil: last ? { number: last.number, size: last.size, createdAt: last.createdAt } : null,
      unsealed: await readUnsealed(this.#log, this.#position, this.#head),
    }
  }

  async #treeFrom(): Promise<TreeCheck> {
    const size = this.#since?.size ?? 0
    const onFinding = (finding: Finding) => this.#add(finding)
    const full = { start: 0, end: size }
    const tail = Array.from({ length: size % 256 }, (_, at) => ({
      start: size - (size % 256) + at,
      end: size - (size % 256) + at + 1,
    }))
    const hashes = await readTilesFor(this.#log, this.#position.log, [full, ...tail])
    try {
      return new TreeCheck(size, hashes, onFinding)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      const message = `The tree up to checkpoint ${this.#since?.number} is not whole: ${error.message}`
      this.#add({ kind: 'tile', message, leaves: { first: 0, last: size - 1 } })
      return new TreeCheck(0, new TileHashes(), onFinding)
    }
  }

  /** The checkpoint to begin with has to be signed, and of the tree that is there. */
  #checkSince(tree: TreeCheck): void {
    const since = this.#since as StoredCheckpoint
    const check = new CheckpointCheck(this.#options, { number: since.number - 1, size: 0 })
    this.#checkCheckpoint(since, check, tree)
  }

  /** @returns whether it can be believed */
  #checkCheckpoint(checkpoint: StoredCheckpoint, checks: CheckpointCheck, tree: TreeCheck): boolean {
    const { number, size } = checkpoint
    this.#checkpoints++
    const problem = checks.problemOf(checkpoint) ?? this.#problemOfRoot(checkpoint, tree)
    if (problem === undefined) {
      this.#verifiedUntil = checkpoint
      return true
    }
    const last = this.#verifiedUntil?.size ?? 0
    this.#add({
      ...{
        kind: 'checkpoint',
        checkpoint: number,
        message: `Checkpoint ${number} can't be believed: ${problem}`,
      },
      ...(last < size ? { leaves: { first: last, last: size - 1 } } : {}),
    })
    return false
  }

  #problemOfRoot({ size, root }: StoredCheckpoint, tree: TreeCheck): string | undefined {
    if (size > tree.size) return `it covers ${size} entries, and there are ${tree.size} leaves`
    if (size < tree.size || !tree.fits(root)) {
      return `the tree has another root at ${size} entries. Either the checkpoint was altered, or leaves since the last one that fits`
    }
    return undefined
  }

  /** What was sealed, and the rows in its place, in turns. */
  async *#steps(): AsyncGenerator<Step, void, void> {
    const log = this.#position.log
    const total = this.#head?.size ?? 0
    let start = this.#since?.size ?? 0
    let after: ReaderCursor = this.#since?.place ?? startOf(1)
    const end = start < total ? await this.#end() : after
    while (start < total) {
      const part = await readSealedPart(this.#log, log, start, total)
      yield { part, start }
      const until = part.nextPlace ? justBefore(part.nextPlace) : end
      for await (const rows of readRowsBetween(this.#log, this.#position, after, until)) yield { rows }
      if (compareCursors(until, after) > 0) after = until
      start = endOfPart(start, total)
    }
  }

  /** Where the last sealed entry stands, or is said to stand, if that is later. */
  async #end(): Promise<ReaderCursor> {
    const { size, place } = this.#head as StoredCheckpoint
    const part = await readSealedPart(this.#log, this.#position.log, Math.max(0, size - 256), size)
    const last = leavesIn(part.segments).at(-1)
    const [row] = last ? await readRowsById(this.#log, [idInLeaf(last.bytes)]) : []
    if (!last || !row || !isSealedAs(row, last)) return place
    const { number } = eraOf(this.#position, BigInt(textIn(row, 'seq') ?? '0'))
    const own = placeOfRow(row, number)
    return own.era === place.era && compareCursors(own, place) > 0 ? own : place
  }

  /** Whether leaves and salts are there without a gap. */
  #checkSegments({ segments }: SealedPart, start: number): void {
    const total = this.#head?.size ?? 0
    const end = endOfPart(start, total)
    let expected = start
    const gap = (until: number) => {
      if (until <= expected) return
      const leaves = { first: expected, last: until - 1 }
      this.#add({ kind: 'leaf', leaves, message: `The leaves ${leaves.first} to ${leaves.last} are gone` })
    }
    for (const { firstLeaf, entries, leaves, salts } of segments) {
      gap(firstLeaf)
      const isWhole =
        firstLeaf >= expected &&
        leaves.length === entries * leafLength &&
        salts?.length === entries * saltLength
      if (!isWhole) {
        const range = { first: firstLeaf, last: firstLeaf + entries - 1 }
        const message = `The leaves ${range.first} to ${range.last}, or their salts, are damaged or gone`
        this.#add({ kind: 'leaf', leaves: range, message })
      }
      expected = Math.max(expected, firstLeaf + Math.floor(leaves.length / leafLength))
    }
    gap(end)
  }

  /** Rows that did not come where their leaf is, and leaves that no row came for. */
  async #endPart(match: RowMatch | undefined): Promise<void> {
    if (!match) return
    for (const stray of match.stray) this.#keepStray(stray)
    for (const row of match.erased) await this.#checkErased(row)
    await this.#checkTelling()
    const { missing } = match
    for (let at = 0; at < missing.length; at += 1_000) {
      const leaves = missing.slice(at, at + 1_000).map((leaf) => ({ leaf, id: idInLeaf(leaf.bytes) }))
      const rows = new Map(
        (
          await readRowsById(
            this.#log,
            leaves.map(({ id }) => id),
          )
        ).map((row) => [textIn(row, 'id'), row]),
      )
      const gone = leaves.filter(({ id }) => !rows.has(id)).map(({ leaf }) => seqInLeaf(leaf.bytes))
      const archived = new Map(
        ((gone.length > 0 && (await this.#options.archived?.(gone))) || []).map((row) => [
          row.id,
          columnNames.map((name) => row[name]),
        ]),
      )
      for (const { leaf, id } of leaves) {
        const row = rows.get(id)
        const kept = archived.get(id)
        if (!row && kept) {
          this.#archived++
          if (!isSealedAs(kept, leaf)) await this.#checkErased({ row: kept, leaf })
        } else if (row) {
          if (this.#moved.size < mostKept) this.#moved.add(id)
          this.#add(isSealedAs(row, leaf) ? reordered(row, leaf) : changed(row, leaf))
        } else {
          const seq = String(seqInLeaf(leaf.bytes))
          const message = `Entry ${id} with seq ${seq} was sealed, and is gone`
          this.#add({
            kind: 'missing',
            message,
            entry: { id, seq },
            leaves: { first: leaf.index, last: leaf.index },
          })
        }
      }
    }
  }

  /** A row that says that it was erased has to be what its erasure has left, and its salt is gone. */
  async #checkErased({ row, leaf }: ChangedRow): Promise<void> {
    if (!(await this.#erasures?.tellOf(row))) {
      this.#add(changed(row, leaf))
    } else if (leaf.salt.some((byte) => byte !== 0)) {
      const finding = changed(row, leaf)
      const message = `Entry ${finding.entry?.id} was erased, and the salt of its seal was not: erase it once more`
      this.#add({ ...finding, message })
    } else {
      this.#erased++
    }
  }

  async #checkTelling(): Promise<void> {
    for (const row of this.#telling) await this.#erasures?.check(row, (finding) => this.#add(finding))
    this.#telling = []
  }

  /** Erasures that are not sealed yet tell of entries that are. */
  async #checkUnsealedErasures(): Promise<void> {
    if (!this.#head) return
    for await (const rows of readRowsBehind(this.#log, this.#position, this.#head.place, 'auditLog.erase')) {
      this.#telling = rows
      await this.#checkTelling()
    }
  }

  #keepStray(stray: StrayRow): void {
    if (this.#moved.has(stray.entry.id)) return
    if (this.#stray.size < mostKept && !this.#stray.has(stray.entry.id))
      this.#stray.set(stray.entry.id, stray)
    else this.#addStray(stray.entry)
  }

  #addStray(entry: StrayRow['entry']): void {
    const message = `Entry ${entry.id} stands among sealed entries, and was never sealed: it was added afterwards`
    this.#add({ kind: 'added', entry, message })
  }

  #add(finding: Finding): void {
    if (finding.kind === 'changed' && finding.entry) {
      if (this.#changed.has(finding.entry.id)) return
      if (this.#changed.size < mostKept) this.#changed.add(finding.entry.id)
    }
    if (finding.leaves && finding.checkpoint === undefined) this.#unnamed.push(finding)
    else this.#report(finding)
  }

  /** Says which checkpoint proves what was found: the first one that covers it. */
  async #nameAll(): Promise<void> {
    const findings = this.#unnamed
    this.#unnamed = []
    for (const finding of findings) {
      const leaf = finding.leaves?.last ?? 0
      if (!this.#covered || leaf < this.#covered.from || leaf >= this.#covered.size) {
        const found = await readCheckpointOf(this.#log, this.#position.log, leaf)
        this.#covered = found && { from: leaf, size: found.size, number: found.number }
      }
      this.#report(this.#covered ? { ...finding, checkpoint: this.#covered.number } : finding)
    }
  }

  #report(finding: Finding): void {
    this.#found++
    if (this.#findings.length < mostFindings) this.#findings.push(finding)
    this.#options.onFinding?.(finding)
  }
}

/** The last place before an entry. */
function justBefore({ era, transactionId, seq }: ReaderCursor): ReaderCursor {
  return { era, transactionId, seq: seq - 1n }
}
