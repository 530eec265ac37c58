import type { MonthArchive } from '../archive-contract.ts'
import { readArchived } from '../parquet/catalog.ts'
import type { ArchivedPart } from '../parquet/manifest.ts'
import { unlistedFiles } from '../parquet/unlisted.ts'
import type { MaintenanceAction } from './maintenance.ts'
import type { PastMonth } from './months.ts'
import type { OwnedLog } from './owned-log.ts'

/**
 * Removes what attempts before have left in the folders of a month, where the store allows it, and names the rest: it would be
 * counted beside the new files. What has a manifest stays.
 *
 * @param options.parts the files of this attempt
 * @param options.confirmAlone throws where what is there may be another process's, which is about to record it
 */
export async function removeUnlisted(
  { connection, table }: OwnedLog,
  { log }: PastMonth,
  archive: MonthArchive,
  {
    parts,
    confirmAlone,
    signal,
  }: { parts: readonly ArchivedPart[]; confirmAlone: () => Promise<void>; signal: AbortSignal },
): Promise<MaintenanceAction[]> {
  const months = [...new Set(parts.map(({ month }) => month))]
  const own = new Set(parts.map(({ key }) => key))
  const actions: MaintenanceAction[] = []
  const readKnown = () => readArchived(connection, table)
  for (const { key, hasManifest } of await unlistedFiles(archive, log, readKnown, { months, signal })) {
    if (own.has(key)) continue
    await confirmAlone()
    const isRemoved = !hasManifest && (await archive.remove(key, signal))
    actions.push(
      isRemoved
        ? {
            action: 'remove',
            subject: key,
            why: 'an attempt to archive the month that was ended has left it',
          }
        : {
            ...{ action: 'leave', subject: key },
            why: `the log's database does not know it, and ${hasManifest ? 'a manifest lists it' : "it can't be removed"}: leave it out where another engine reads the archive`,
          },
    )
  }
  return actions
}
