import type { MonthArchive } from '../archive-contract.ts'
import { readArchived } from '../parquet/catalog.ts'
import { unlistedFiles } from '../parquet/unlisted.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { quantity } from './quantity.ts'

/** What is in the archive of months, and is no part of it. */
export interface UnlistedFindings {
  readonly location: string
  /** Keys of the files, below the location. */
  readonly files: readonly string[]
}

/** Looks in the archive of months for files that the log's database does not know. */
export async function findUnlisted(
  { table, connection }: { readonly table: TableName; readonly connection: SqlClient },
  archive: MonthArchive,
  signal: AbortSignal,
): Promise<UnlistedFindings> {
  const { schema = 'public', name } = table
  // first what is there: what is archived meanwhile is known then
  const files = await unlistedFiles(archive, `${schema}.${name}`, () => readArchived(connection, table), {
    signal,
  })
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
