import type { ArchiveReading } from '../sink.ts'
import type { S3State } from './s3-manifest.ts'
import { manifestNumber, type ReadManifest, readManifests } from './s3-manifests.ts'
import type { S3Reader } from './s3-reader.ts'

/** Manifests that follow each other without a fork. */
interface Branch {
  /** The key that it begins with; undefined for what comes before every fork. */
  readonly root: string | undefined
  readonly before: Branch | undefined
  readonly first: bigint
  last: bigint
  entries: number
  /** Of its first batch. */
  readonly content: string | undefined
  era: ArchiveReading['era'] | undefined
  isForked: boolean
  /** Whether it ends with the manifest that the log knows as the last. */
  endsAcknowledged: boolean
}

/**
 * Finds what was stored before the log was restored to an earlier time: from there on the log's batches have the same numbers
 * again, and the chain has a fork. Reads no manifest where there is none.
 *
 * @returns the keys of manifests with which such a part begins
 */
export async function findSuperseded(
  reader: S3Reader,
  prefix: string,
  reading: ArchiveReading,
): Promise<ReadonlySet<string>> {
  const start = await firstInDoubt(reader, prefix, reading.acknowledged.batches)
  if (start === undefined) return new Set()
  const branches = await readBranches(reader, prefix, start, reading)
  const known = branches.find(({ endsAcknowledged }) => endsAcknowledged)
  const main = mainOf(branches, known, reading.era)
  const superseded = branches.filter((branch) => branch.root !== undefined && !leadsTo(branch, main))
  for (const branch of superseded) if (!branch.isForked) report(branch, branches, main, reading)
  return new Set(superseded.flatMap(({ root }) => root ?? []))
}

/** The first number that several manifests have, or that the log does not know to be stored. */
async function firstInDoubt(
  reader: S3Reader,
  prefix: string,
  acknowledged: bigint,
): Promise<bigint | undefined> {
  let before: bigint | undefined
  for await (const { key, versions } of reader.list(`${prefix}manifests/`)) {
    const number = manifestNumber(prefix, key)
    if (number === undefined || versions.length === 0) continue
    if (number === before || number > acknowledged) return number
    before = number
  }
  return undefined
}

async function readBranches(
  reader: S3Reader,
  prefix: string,
  start: bigint,
  { acknowledged }: ArchiveReading,
): Promise<Branch[]> {
  const state = acknowledged.state as S3State | null
  const trunk: Branch = {
    ...{ root: undefined, before: undefined, first: 0n, last: start - 1n, entries: 0, content: undefined },
    ...{ era: undefined, isForked: false, endsAcknowledged: acknowledged.batches < start },
  }
  const branches = [trunk]
  let heads = new Map<string, Branch>()
  for await (const group of readManifests(reader, prefix, start)) {
    const next = new Map<string, Branch>()
    // where manifests are missing, the only one of a number goes on behind what there is
    const [head = trunk] = heads.values()
    const others = group.length === 1 ? head : undefined
    const beforeOf = ({ number, manifest: { previous } }: ReadManifest) =>
      number === start ? trunk : (heads.get(previous?.key ?? '') ?? others)
    for (const found of group) {
      const before = beforeOf(found)
      if (!before) continue // what names nothing that was stored is no part of the chain
      const isOnly = group.filter((other) => beforeOf(other) === before).length === 1
      const continues = isOnly && before !== trunk && !before.endsAcknowledged
      const branch = continues ? before : begin(before, found, branches)
      branch.last = found.number
      branch.entries += found.manifest.entries
      branch.era = found.manifest.era
      branch.endsAcknowledged = found.key === state?.manifest?.key
      next.set(found.key, branch)
    }
    heads = next
  }
  return branches
}

function begin(before: Branch, { key, number, manifest }: ReadManifest, branches: Branch[]): Branch {
  before.isForked = true
  const branch: Branch = {
    ...{ root: key, before, first: number, last: number, entries: 0, content: manifest.content.sha256 },
    ...{ era: manifest.era, isForked: false, endsAcknowledged: false },
  }
  branches.push(branch)
  return branch
}

/** The branch that the log continues: of those behind what it knows to be stored, what was stored in its present era. */
function mainOf(
  branches: readonly Branch[],
  known: Branch | undefined,
  present: ArchiveReading['era'],
): Branch | undefined {
  const ends = branches.filter(
    (branch) =>
      !branch.isForked &&
      (!known || branch === known || (growsFrom(branch, known) && branch.era?.id === present.id)),
  )
  const [first] = ends.sort(
    (a, b) =>
      (b.era?.number ?? 0) - (a.era?.number ?? 0) ||
      (b.era?.beganAt ?? '').localeCompare(a.era?.beganAt ?? '') ||
      Number(b.last - a.last),
  )
  return first ?? known
}

function growsFrom(branch: Branch, other: Branch): boolean {
  return branch.before !== undefined && (branch.before === other || growsFrom(branch.before, other))
}

function leadsTo(branch: Branch, main: Branch | undefined): boolean {
  return main !== undefined && (branch === main || growsFrom(main, branch))
}

function report(
  branch: Branch,
  branches: readonly Branch[],
  main: Branch | undefined,
  { era, fault, note }: ArchiveReading,
): void {
  const { root = '', first, last, entries } = branch
  const numbers = first === last ? `Batch ${first}` : `Batches ${first} to ${last}`
  const place = `${numbers} (from ${root} on, ${entries} entries)`
  const isTwin = (other: Branch) =>
    other !== branch &&
    other.before === branch.before &&
    leadsTo(other, main) &&
    other.content === branch.content
  if (branch.era?.id !== era.id) {
    note(
      `${place} were stored in era ${branch.era?.number}, and the log went on from an earlier place: it was restored to an earlier time, and is in era ${era.number} since ${era.beganAt}. What the archive has of that and the log has not is no difference.`,
    )
  } else if (first === last && branches.some(isTwin)) {
    note(
      `${place} is there twice: the store ignores If-None-Match, and an attempt was repeated. The contents are the same.`,
    )
  } else {
    fault(
      'chain',
      root,
      `${place}: beside other manifests of the same numbers, and the log was not restored in between.`,
    )
  }
}
