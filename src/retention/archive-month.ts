import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MonthArchive, ParquetFile } from '../archive-contract.ts'
import { internalTable } from '../log/internal-schema.ts'
import { brokenArchive } from '../parquet/broken.ts'
import {
  type ArchiveManifest,
  type KeptManifest,
  manifestKey,
  manifestText,
  partKey,
} from '../parquet/manifest.ts'
import { commitOrder } from '../reader/committed-range.ts'
import { transactionSql } from '../reader/reader-log.ts'
import { canonicalForm, canonicalSql } from '../seal/canonical-form.ts'
import { readLeafRuns } from '../seal/leaf-runs.ts'
import { readHead } from '../seal/stored-checkpoint.ts'
import type { PastMonth } from './months.ts'
import type { OwnedLog } from './owned-log.ts'

/** What was read of the log: how much, and its digest. */
interface Content {
  entries: number
  seqSum: bigint
  sha256: string
}

/**
 * Copies what of a month is not in the archive yet: to Parquet, to the archive, and back from there to compare. Only then the
 * database says that it is archived. Whenever this ends before, it is done again, and makes the same files.
 *
 * @param after the highest `seq` that is in the archive already
 * @returns how many entries were copied
 * @throws AuditError `AUDIT_ARCHIVE_BROKEN` where something else came back
 */
export async function archiveMonth(
  log: OwnedLog,
  month: PastMonth,
  archive: MonthArchive,
  {
    after = 0n,
    note = () => {},
    signal,
  }: { after?: bigint; note?: ((text: string) => void) | undefined; signal: AbortSignal },
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-archive-'))
  try {
    const content: Content = { entries: 0, seqSum: 0n, sha256: '' }
    const engine = await archive.engine()
    const files = await engine.write(linesOf(log, month, after, content, signal), directory)
    note(`${month.partition}: copied ${content.entries} entries`)
    const stored =
      content.entries > 0 ? await store(log, month, archive, { ...content, after }, files, signal) : undefined
    note(`${month.partition}: uploaded ${files.length} ${files.length === 1 ? 'file' : 'files'}`)
    if (stored) await readBack(archive, stored, signal)
    note(`${month.partition}: verified`)
    await recordArchived(log, month, archive, content, stored)
    return content.entries
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const pageSize = 1_000

/** The canonical forms of the entries in the order of transactions. */
async function* linesOf(
  { connection }: OwnedLog,
  { partition }: PastMonth,
  after: bigint,
  content: Content,
  signal: AbortSignal,
): AsyncGenerator<string[], void, void> {
  const hash = createHash('sha256')
  let place = ['0', '0']
  while (true) {
    signal.throwIfAborted()
    const rows = await connection.query<{ line: string; transaction: string; number: string }>(
      `SELECT ${canonicalSql}::text AS line, l.transaction_id::text AS transaction, l.seq::text AS number FROM ONLY ${partition} AS l
WHERE (${transactionSql}, l.seq) > ($1::text::pg_catalog.xid8, $2::text::int8) AND l.seq > $3::text::int8
ORDER BY ${commitOrder} LIMIT ${pageSize}`,
      ...[...place, String(after)],
    )
    for (const { line, number } of rows) {
      hash.update(`${line}\n`)
      content.seqSum += BigInt(number)
    }
    content.entries += rows.length
    if (rows.length > 0) yield rows.map(({ line }) => line)
    const last = rows.at(-1)
    if (!last || rows.length < pageSize) break
    place = [last.transaction, last.number]
  }
  content.sha256 = hash.digest('hex')
}

async function store(
  log: OwnedLog,
  { log: name, partition, lower, upper }: PastMonth,
  archive: MonthArchive,
  { entries, sha256, after }: Content & { after: bigint },
  files: readonly ParquetFile[],
  signal: AbortSignal,
): Promise<KeptManifest> {
  const parts: ArchiveManifest['parts'][number][] = []
  for (const [index, { path, ...facts }] of files.entries()) {
    const key = partKey(name, sha256, facts, index)
    const object = { key, body: await readFile(path), type: 'application/vnd.apache.parquet' }
    parts.push({ ...(await archive.put(object, signal)), ...facts })
  }
  const head = await readHead(log, name)
  const manifest: ArchiveManifest = {
    format: 'prisma-extension-audit/archive/1',
    ...{ log: name, range: { from: lower, to: upper }, entries },
    seq: seqRange(parts),
    ...{ content: { sha256 }, parts },
    checkpoint: head ? { number: head.number, size: head.size, note: head.note } : null,
  }
  const leaves = head ? await readLeafRuns(log, { name, partition, after, size: head.size }) : null
  const body = manifestText({ ...manifest, leaves })
  const object = { key: manifestKey(manifest), body, type: 'application/json' }
  return { reference: await archive.put(object, signal), manifest }
}

function seqRange(parts: readonly Pick<ParquetFile, 'seq'>[]): ParquetFile['seq'] {
  const [lowest, highest] = [
    parts.map(({ seq }) => BigInt(seq.lowest)).reduce((a, b) => (a < b ? a : b)),
    parts.map(({ seq }) => BigInt(seq.highest)).reduce((a, b) => (a > b ? a : b)),
  ]
  return { lowest: String(lowest), highest: String(highest) }
}

/** Reads everything from the store once more, and compares it with what was read of the log. */
export async function readBack(
  archive: MonthArchive,
  { reference, manifest }: KeptManifest,
  signal: AbortSignal,
): Promise<void> {
  await archive.fetch(reference, 'store', signal)
  const paths: string[] = []
  for (const part of manifest.parts) paths.push(await archive.fetch(part, 'store', signal))
  const hash = createHash('sha256')
  let entries = 0
  for await (const rows of (await archive.engine()).rows(paths)) {
    signal.throwIfAborted()
    for (const row of rows) hash.update(`${canonicalForm(row)}\n`)
    entries += rows.length
  }
  const found = hash.digest('hex')
  if (entries === manifest.entries && found === manifest.content.sha256) return
  throw brokenArchive(
    reference.key,
    archive.location,
    `its files have ${entries} entries, digest ${found}; ${manifest.entries} were copied, digest ${manifest.content.sha256}`,
  )
}

/** Says in the database that all of it was read back. Of two that say so at once, one is heard. */
async function recordArchived(
  { table, connection }: OwnedLog,
  { log, lower, upper }: PastMonth,
  { location }: MonthArchive,
  { entries, seqSum }: Content,
  stored: KeptManifest | undefined,
): Promise<void> {
  await connection.query(
    `INSERT INTO ${internalTable(table, 'archives')} AS a (log, lower, upper, entries, seq_sum, online_entries, online_seq_sum, location, manifests)
VALUES ($1::text, coalesce($2::text::pg_catalog.timestamptz, '-infinity'), $3::text::pg_catalog.timestamptz, $4::text::int8, $5::text::numeric,
  $4::text::int8, $5::text::numeric, $6::text, $7::text::jsonb)
ON CONFLICT (log, upper) DO UPDATE SET entries = a.entries + excluded.entries, seq_sum = a.seq_sum + excluded.seq_sum,
  online_entries = a.online_entries + excluded.online_entries, online_seq_sum = a.online_seq_sum + excluded.online_seq_sum,
  manifests = a.manifests || excluded.manifests, archived_at = pg_catalog.clock_timestamp()
WHERE NOT a.manifests @> excluded.manifests`,
    ...[log, lower, upper, String(entries), String(seqSum), location, JSON.stringify(stored ? [stored] : [])],
  )
}
