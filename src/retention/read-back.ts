import { createHash } from 'node:crypto'
import type { MonthArchive } from '../archive-contract.ts'
import { brokenArchive } from '../parquet/broken.ts'
import type { ArchiveManifest } from '../parquet/manifest.ts'
import { canonicalForm } from '../seal/canonical-form.ts'

/**
 * Reads all files of a manifest from the store once more, and compares them with what was read of the log.
 *
 * @throws AuditError `AUDIT_ARCHIVE_BROKEN`
 */
export async function readBackParts(
  archive: MonthArchive,
  { entries, content, parts }: Pick<ArchiveManifest, 'entries' | 'content' | 'parts'>,
  signal: AbortSignal,
): Promise<void> {
  const paths: string[] = []
  for (const part of parts) paths.push(await archive.fetch(part, 'store', signal))
  const hash = createHash('sha256')
  let count = 0
  for await (const rows of (await archive.engine()).rows(paths)) {
    signal.throwIfAborted()
    for (const row of rows) hash.update(`${canonicalForm(row)}\n`)
    count += rows.length
  }
  const found = hash.digest('hex')
  if (count === entries && found === content.sha256) return
  throw brokenArchive(
    parts.map(({ key }) => key).join(', '),
    archive.location,
    `they have ${count} entries, digest ${found}; ${entries} were copied, digest ${content.sha256}`,
  )
}
