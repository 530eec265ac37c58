import type { MonthArchive } from '../archive-contract.ts'
import { readArchived } from '../parquet/catalog.ts'
import { unlistedFiles } from '../parquet/unlisted.ts'
import { readKnownPosition } from '../reader/eras.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { quantity } from './quantity.ts'

/** What is in the archive of months, and is no part of it. */
export interface UnlistedFindings {
  readonly location: string
  /** Keys of the files, below the location. */
  readonly files: readonly string[]
}

/** Looks in the archive of months for files that the log's database does not know. */
export async function findUnlisted(
  log: ReaderLog,
  archive: MonthArchive,
  signal: AbortSignal,
): Promise<UnlistedFindings> {
  const position = await readKnownPosition(log)
  const readKnown = () => readArchived(log.connection, log.table)
  const files = await unlistedFiles(archive, position.log, readKnown, { signal })
  return { location: archive.location, files: files.map(({ key }) => key) }
}

/** For people to read. */
export function describeUnlisted({ location, files }: UnlistedFindings): string[] {
  const archive = `the archive of months, ${location}`
  if (files.length === 0) return [`✔ ${archive}: has no file of entries that the database does not know`]
  return [
    `! ${archive}: has ${quantity(files.length, 'file', 'files')} of entries that the database does not know`,
    ...files.map((key) => `    ${key}`),
    '  Nothing here counts what is in there, but other engines do: leave it out there, see docs/retention.md.',
    '  While "maintain" archives, its files are among these.',
  ]
}
