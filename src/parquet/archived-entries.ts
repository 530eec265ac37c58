import { validate as isUuid, version } from 'uuid'
import type { ArchiveQuestion, EntryPlace, FoundRow, MonthArchive } from '../archive-contract.ts'
import type { ArchivedEntry, ArchivedLog } from '../log/archived-log.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import type { ResolvedRetention } from '../retention-options.ts'
import { timestampText } from '../search/cursor.ts'
import { type ArchivedMonth, readArchived } from './catalog.ts'
import type { ArchivedPart } from './manifest.ts'

/** For how long a question is read from the store, in milliseconds. */
const patience = 300_000

/**
 * The archive of a log, to be asked beside its table. The database says what has left; only files that can have an answer are
 * read, the newest months first until there is enough.
 *
 * @param connection whose errors are those of questions to the log
 */
export function archivedLog(archive: MonthArchive, table: TableName, connection: SqlClient): ArchivedLog {
  const read = (question: ArchiveQuestion) =>
    readArchived(connection, table, { areRetired: true, ...timeAsked(question) })
  return {
    async find(question, time = Number.POSITIVE_INFINITY) {
      const deadline = performance.now() + time
      const months = await read(question)
      const ordered = question.order === 'newest' ? months : months.toReversed()
      const found: ArchivedEntry[] = []
      for (const [index, month] of ordered.entries()) {
        const rest = question.count === undefined ? undefined : question.count - found.length
        if (rest === 0) break
        found.push(...(await findInParts(archive, partsIn([month]), { ...question, count: rest })))
        const isLast = index === ordered.length - 1
        if (!isLast && performance.now() > deadline) {
          return { entries: found, stoppedAt: stopBehind(month, question.order) }
        }
      }
      return { entries: found }
    },

    async byIds(ids, conditions = {}) {
      const question: ArchiveQuestion = { conditions, order: 'newest' }
      const months = await read(question)
      const near = months.filter((_, at) =>
        ids.some((id) => months.slice(Math.max(0, at - 1), at + 2).some((month) => isMadeIn(id, month))),
      )
      const found: ArchivedEntry[] = []
      for (const some of [near, months.filter((month) => !near.includes(month))]) {
        const known = new Set(found.map(({ row }) => row.id))
        const missing = ids.map((id) => id.toLowerCase()).filter((id) => !known.has(id))
        if (missing.length === 0) break
        found.push(...(await findInParts(archive, partsIn(some), { ...question, ids: missing })))
      }
      return found
    },

    async bySeqs(seqs) {
      const question: ArchiveQuestion = { conditions: {}, order: 'oldest', seqs }
      return findInParts(archive, partsIn(await read(question)), question)
    },

    async countUnerased(question) {
      // what is archived and has not left may have been erased in the table since
      const months = await readArchived(connection, table)
      const paths = await fetchParts(archive, partsIn(months))
      return paths.size === 0 ? 0 : (await archive.engine()).countUnerased([...paths.keys()], question)
    },
  }
}

/** The archive of a log by its options; undefined where they name none. */
export function configuredArchive(
  { retention, table }: { retention?: ResolvedRetention | undefined; table: TableName },
  connection: SqlClient,
): ArchivedLog | undefined {
  return retention && archivedLog(retention.archive, table, connection)
}

function partsIn(months: readonly ArchivedMonth[]): ArchivedPart[] {
  return months.flatMap(({ manifests }) => manifests.flatMap(({ manifest }) => manifest.parts))
}

async function findInParts(
  archive: MonthArchive,
  parts: readonly ArchivedPart[],
  question: ArchiveQuestion,
): Promise<ArchivedEntry[]> {
  const paths = await fetchParts(
    archive,
    parts.filter((one) => mayAnswer(one, question)),
  )
  if (paths.size === 0) return []
  const rows = await (await archive.engine()).find([...paths.keys()], question)
  return rows.map((found) => entryOfRow(found, archive, paths.get(found.path) ?? found.path))
}

/** By the paths of their files here, the keys of parts. */
async function fetchParts(
  archive: MonthArchive,
  parts: readonly ArchivedPart[],
): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>()
  for (const part of parts) {
    paths.set(await archive.fetch(part, 'anywhere', AbortSignal.timeout(patience)), part.key)
  }
  return paths
}

function entryOfRow({ row, place }: FoundRow, { location }: MonthArchive, key: string): ArchivedEntry {
  return { row, place, archivedIn: `${location.replace(/\/?$/, '/')}${key}` }
}

/** The place behind a month, in an order. */
function stopBehind({ from, to }: ArchivedMonth, order: ArchiveQuestion['order']): EntryPlace {
  const moment = order === 'newest' ? (from ?? new Date(0).toISOString()) : to
  return { microseconds: BigInt(Date.parse(moment)) * 1_000n, seq: -1n }
}

/** Whether a UUIDv7 was made in a month; other ids say nothing. */
function isMadeIn(id: string, { from, to }: ArchivedMonth): boolean {
  if (!isUuid(id) || version(id) !== 7) return false
  const made = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
  return (from === null || Date.parse(from) <= made) && made < Date.parse(to)
}

/** The time that a question is about, as far as it says so. */
function timeAsked({ conditions, order, after, until }: ArchiveQuestion): { from?: string; to?: string } {
  const [newest, oldest] = order === 'newest' ? [after, until] : [until, after]
  const from = [conditions.from, oldest && timestampText(oldest)].filter((time) => time !== undefined)
  const to = [conditions.to, newest && timestampText(newest)].filter((time) => time !== undefined)
  const byTime = (a: string, b: string) => Date.parse(a) - Date.parse(b)
  const [latestFrom, earliestTo] = [from.sort(byTime).at(-1), to.sort(byTime)[0]]
  return { ...(latestFrom && { from: latestFrom }), ...(earliestTo && { to: earliestTo }) }
}

function mayAnswer({ time, seq }: ArchivedPart, question: ArchiveQuestion): boolean {
  const [lowest, highest] = [BigInt(seq.lowest), BigInt(seq.highest)]
  if (question.seqs?.every((one) => one < lowest || one > highest)) return false
  const { from, to } = timeAsked(question)
  const microseconds = (text: string) => BigInt(Date.parse(text)) * 1_000n
  // a millisecond more on each side: JavaScript's dates have no more digits
  return (
    (from === undefined || BigInt(time.latest) >= microseconds(from) - 1_000n) &&
    (to === undefined || BigInt(time.earliest) <= microseconds(to) + 1_000n)
  )
}
