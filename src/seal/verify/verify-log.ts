import type { ReaderLog } from '../../reader/reader-log.ts'
import { oneAhead } from './ahead.ts'
import { AnchorCheck, type ReadableAnchor, readKept } from './anchored.ts'
import type { TrustedKeys } from './checkpoint-check.ts'
import { CheckpointWalk } from './checkpoint-walk.ts'
import { damagedLeaves } from './damaged-leaves.ts'
import type { Finding } from './finding.ts'
import { FindingList } from './finding-list.ts'
import { RowCheck } from './row-check.ts'
import { readSealedLog, type SealedLog } from './sealed-log.ts'
import { sealedSteps } from './sealed-steps.ts'
import { leavesIn, type StoredLeaf } from './stored-leaf.ts'
import type { TreeCheck } from './tree-check.ts'
import { readTreeSince } from './tree-since.ts'
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
  /** Of the archived ones, those that the archive has with values that were erased from the log since; left out where none has. */
  readonly unerased?: number
  readonly checkpoints: number
  /** How many leaves the tree has, up to which it was verified: all of them, unless it was ended before. */
  readonly size: number
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

/**
 * Computes everything anew, from the rows of the log: leaves, tree, checkpoints, signatures. In one pass, in memory that does
 * not grow with the log. What has left the table is looked for in the log's archive; without one, it counts as missing.
 *
 * @throws AuditError where the log or an anchor can't be read, or there is no checkpoint `since`
 */
export async function verifyLog(log: ReaderLog, options: VerifyOptions): Promise<SealVerification> {
  const { anchors = [], signal = new AbortController().signal } = options
  // before the database, which then has every checkpoint that they have
  const { kept, findings: ofAnchors } = await readKept(anchors, options, signal)
  const sealed = await readSealedLog(log, options.since ?? 0)
  const findings = new FindingList(sealed)
  for (const finding of ofAnchors) findings.add(finding)
  const tree = await readTreeSince(sealed, findings.add)
  const pass: Pass = {
    ...{ sealed, findings, tree },
    checkpoints: await CheckpointWalk.begin(sealed, options, tree, findings.add),
    anchors: new AnchorCheck(kept, sealed.since?.size ?? 0, findings.add),
    rows: new RowCheck(sealed, findings.add),
  }
  const isComplete = await verifyParts(pass, signal, options.onProgress)
  for (const finding of await findUnsigned(sealed, sealed.position.log)) findings.add(finding)
  await findings.nameCheckpoints()
  await pass.rows.end()
  const { leaves, archived, erased, unerased } = pass.rows.counts
  const last = pass.checkpoints.fitting
  return {
    ...{
      ok: findings.found === 0,
      log: sealed.position.log,
      findings: findings.listed,
      found: findings.found,
    },
    ...(archived > 0 ? { archived } : {}),
    ...(unerased > 0 ? { unerased } : {}),
    ...{ entries: leaves, checkpoints: pass.checkpoints.checked, erased },
    size: isComplete ? sealed.size : (last?.size ?? sealed.since?.size ?? 0),
    isComplete,
    anchored: anchors.length > 0 ? pass.anchors.fitting : null,
    verifiedUntil: last ? { number: last.number, size: last.size, createdAt: last.createdAt } : null,
    unsealed: await readUnsealed(log, sealed.position, sealed.head),
  }
}

/** What goes over the log together. */
interface Pass {
  readonly sealed: SealedLog
  readonly findings: FindingList
  readonly tree: TreeCheck
  readonly checkpoints: CheckpointWalk
  readonly anchors: AnchorCheck
  readonly rows: RowCheck
}

/** @returns whether it came to the end */
async function verifyParts(
  pass: Pass,
  signal: AbortSignal,
  onProgress: VerifyOptions['onProgress'],
): Promise<boolean> {
  const { sealed, findings, tree, checkpoints, anchors, rows } = pass
  anchors.compare(tree, checkpoints.newest)
  for await (const { part, start, end, rows: inPlace } of oneAhead(sealedSteps(sealed))) {
    if (signal.aborted) return false
    for (const finding of damagedLeaves(part, start, end)) {
      findings.add(finding)
      rows.loseLeaves()
    }
    const leaves = leavesIn(part.segments)
    await growTree(pass, leaves, part.tileRoots)
    rows.beginPart(leaves)
    for await (const some of inPlace) await rows.add(some)
    await rows.endPart()
    await findings.nameCheckpoints()
    onProgress?.({ done: end, total: sealed.size })
  }
  await rows.checkUnsealedErasures()
  await findings.nameCheckpoints()
  await checkpoints.end()
  anchors.end(tree)
  return true
}

/** Adds leaves to the tree, and compares it with each checkpoint, in the database or kept outside, when it is as large. */
async function growTree(
  { tree, checkpoints, anchors }: Pass,
  leaves: readonly StoredLeaf[],
  tileRoots: ReadonlyMap<string, Buffer>,
): Promise<void> {
  for (const leaf of leaves) {
    if (leaf.index !== tree.size) break // said already, and no later root can be computed
    tree.add(leaf.bytes, tileRoots)
    if (checkpoints.next <= tree.size) leaf.lastOf = await checkpoints.compare()
    if (anchors.next === tree.size) anchors.compare(tree, checkpoints.newest)
  }
}
