import type { MonthArchive } from '../archive-contract.ts'
import type { ArchivedMonth } from './catalog.ts'
import { entriesFolder, isOfManifest, manifestsFolder } from './manifest.ts'

/** A file of entries that is in the archive, and that the database does not know: other engines count what is in it twice. */
export interface UnlistedFile {
  readonly key: string
  /** Whether the archive has the manifest of its attempt: then it may be a copy of the log that another database relies on. */
  readonly hasManifest: boolean
}

/**
 * The files of entries that the database does not know. An attempt to archive leaves them that was ended; while one is at work,
 * its files are among them.
 *
 * @param log with its schema, quoted where needed
 * @param readKnown all that the database knows of the archive: asked once it is known what is there
 * @param months only their files: `2024-03`; without it, all
 */
export async function unlistedFiles(
  archive: MonthArchive,
  log: string,
  readKnown: () => Promise<readonly ArchivedMonth[]>,
  { months, signal }: { months?: readonly string[]; signal: AbortSignal },
): Promise<UnlistedFile[]> {
  const found: string[] = []
  for (const folder of months?.map((month) => entriesFolder(log, month)) ?? [entriesFolder(log)]) {
    found.push(...(await archive.list(folder, signal)))
  }
  const recorded = (await readKnown()).flatMap(({ manifests }) => manifests)
  const known = new Set(recorded.flatMap(({ manifest }) => manifest.parts.map(({ key }) => key)))
  const unknown = found.filter((key) => key.endsWith('.parquet') && !known.has(key))
  if (unknown.length === 0) return []
  const manifests = await archive.list(manifestsFolder(log), signal)
  return unknown.map((key) => ({
    key,
    hasManifest: manifests.some((manifest) => isOfManifest(key, manifest)),
  }))
}
