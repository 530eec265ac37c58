import type { ArchiveQuestion, FoundRow, MonthArchive } from '../archive-contract.ts'
import type { ArchivedEntry, ArchivedLog } from '../log/archived-log.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { exactEntryRow } from '../reader/exact-row.ts'
import { timestampText } from '../search/cursor.ts'
import { readArchived } from './catalog.ts'
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
  return {
    async find(question) {
      const months = await readArchived(connection, table, { areRetired: true, ...timeAsked(question) })
      const found: ArchivedEntry[] = []
      for (const { manifests } of question.order === 'newest' ? months : months.toReversed()) {
        const rest = question.count === undefined ? undefined : question.count - found.length
        if (rest === 0) break
        const parts = manifests.flatMap(({ manifest }) => manifest.parts)
        const rows = await findInParts(archive, parts, { ...question, count: rest })
        found.push(...rows.map((row) => archivedEntry(row, archive)))
      }
      return found
    },
    async exactRows(seqs) {
      const months = await readArchived(connection, table, { areRetired: true })
      const parts = months.flatMap(({ manifests }) => manifests.flatMap(({ manifest }) => manifest.parts))
      const found = await findInParts(archive, parts, { conditions: {}, order: 'oldest', seqs })
      return found.map(({ row }) => row)
    },
  }
}

async function findInParts(
  archive: MonthArchive,
  parts: readonly ArchivedPart[],
  question: ArchiveQuestion,
): Promise<FoundRow[]> {
  const paths = new Map<string, string>()
  for (const part of parts.filter((one) => mayAnswer(one, question))) {
    paths.set(await archive.fetch(part, 'anywhere', AbortSignal.timeout(patience)), part.key)
  }
  if (paths.size === 0) return []
  const rows = await (await archive.engine()).find([...paths.keys()], question)
  return rows.map((found) => ({ ...found, path: paths.get(found.path) ?? found.path }))
}

function archivedEntry({ row, place, path }: FoundRow, { location }: MonthArchive): ArchivedEntry {
  return { row: { ...exactEntryRow(row), archived_in: `${location.replace(/\/?$/, '/')}${path}` }, place }
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
