import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { MonthArchive, ParquetFile } from '../archive-contract.ts'
import { brokenArchive } from '../parquet/broken.ts'
import { readArchived } from '../parquet/catalog.ts'
import {
  type ArchivedPart,
  type ArchiveManifest,
  entriesFolder,
  type KeptManifest,
  manifestKey,
  manifestText,
  partKey,
} from '../parquet/manifest.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { commitOrder } from '../reader/committed-range.ts'
import { transactionSql } from '../reader/reader-log.ts'
import { canonicalSql } from '../seal/canonical-form.ts'
import { readLeafRuns } from '../seal/leaf-runs.ts'
import { readHead } from '../seal/stored-checkpoint.ts'
import type { MaintenanceAction } from './maintenance.ts'
import type { PastMonth } from './months.ts'
import type { OwnedLog } from './owned-log.ts'
import { readBackParts } from './read-back.ts'
import { recordArchived, requireAlone } from './record-archived.ts'
import { removeUnlisted } from './remove-unlisted.ts'

/** What was read of the log: how much, and its digest. */
interface Content {
  /** The highest `seq` that is in the archive already. */
  readonly after: bigint
  entries: number
  seqSum: bigint
  sha256: string
}

/** How a month is archived. */
export interface ArchivingOptions {
  /** The connection whose transaction has the lock that keeps others from archiving. */
  readonly lock: SqlClient
  readonly note?: ((text: string) => void) | undefined
  readonly signal: AbortSignal
}

/**
 * Copies what of a month is not in the archive yet: to Parquet, to the archive, and back from there to compare. Only then the
 * database says that it is archived. Whenever this ends before, it is done again, and makes the same files of the same entries;
 * where others have come, files of the attempt before are left over, which are removed.
 *
 * @returns what was done: first how many entries were copied
 * @throws AuditError `AUDIT_ARCHIVE_BROKEN` where something else came back, `AUDIT_NOT_MAINTAINED` where another process archives it, too
 */
export async function archiveMonth(
  log: OwnedLog,
  month: PastMonth,
  archive: MonthArchive,
  { lock, note = () => {}, signal }: ArchivingOptions,
): Promise<MaintenanceAction[]> {
  const archived = await readArchived(log.connection, log.table)
  const known = archived.find(({ to }) => to === month.upper)?.manifests ?? []
  const confirmAlone = () => requireAlone({ ...log, connection: lock }, month, known)
  const directory = await mkdtemp(join(tmpdir(), 'audit-archive-'))
  try {
    const content: Content = { after: highestSeq(known), entries: 0, seqSum: 0n, sha256: '' }
    const engine = await archive.engine()
    const files = await engine.write(linesOf(log, month, content, signal), directory)
    note(`${month.partition}: copied ${content.entries} entries`)
    const parts = await storeParts(month, archive, content, files, signal)
    note(`${month.partition}: uploaded ${files.length} ${files.length === 1 ? 'file' : 'files'}`)
    const actions: MaintenanceAction[] = [
      {
        ...{ action: 'archive', subject: month.partition, entries: content.entries },
        why: known.length === 0 ? 'its time is over' : 'they came after it was archived',
      },
    ]
    let stored: KeptManifest | undefined
    if (parts.length > 0) {
      await readBackParts(archive, { entries: content.entries, content, parts }, signal)
      actions.push(...(await removeUnlisted(log, month, archive, { parts, confirmAlone, signal })))
      await confirmAlone()
      stored = await storeManifest(log, month, archive, { ...content, parts }, signal)
      await confirmStored(month, archive, stored, signal)
    }
    note(`${month.partition}: verified`)
    await confirmAlone()
    await recordArchived(log, month, archive, content, known, stored)
    return actions
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function highestSeq(manifests: readonly KeptManifest[]): bigint {
  return manifests.reduce((highest, { manifest }) => {
    const seq = BigInt(manifest.seq.highest)
    return seq > highest ? seq : highest
  }, 0n)
}

const pageSize = 1_000

/** The canonical forms of the entries in the order of transactions. */
async function* linesOf(
  { connection }: OwnedLog,
  { partition }: PastMonth,
  content: Content,
  signal: AbortSignal,
): AsyncGenerator<string[], void, void> {
  const hash = createHash('sha256')
  const readBehind = (transaction: string, number: string) => {
    signal.throwIfAborted()
    const rows = connection.query<{ line: string; transaction: string; number: string }>(
      `SELECT ${canonicalSql}::text AS line, l.transaction_id::text AS transaction, l.seq::text AS number FROM ONLY ${partition} AS l
WHERE (${transactionSql}, l.seq) > ($1::text::pg_catalog.xid8, $2::text::int8) AND l.seq > $3::text::int8
ORDER BY ${commitOrder} LIMIT ${pageSize}`,
      ...[transaction, number, String(content.after)],
    )
    rows.catch(() => {}) // it is thrown where it is awaited
    return rows
  }
  let next: ReturnType<typeof readBehind> | undefined = readBehind('0', '0')
  while (next) {
    const rows: Awaited<typeof next> = await next
    const last = rows.at(-1)
    next = last && rows.length === pageSize ? readBehind(last.transaction, last.number) : undefined
    await setImmediate() // a query is only sent once nothing else is to be done
    for (const { line, number } of rows) {
      hash.update(`${line}\n`)
      content.seqSum += BigInt(number)
    }
    content.entries += rows.length
    if (rows.length > 0) yield rows.map(({ line }) => line)
  }
  content.sha256 = hash.digest('hex')
}

async function storeParts(
  { log }: PastMonth,
  archive: MonthArchive,
  { entries, sha256 }: Content,
  files: readonly ParquetFile[],
  signal: AbortSignal,
): Promise<ArchivedPart[]> {
  if (entries === 0) return []
  const parts: ArchivedPart[] = []
  for (const [index, { path, ...facts }] of files.entries()) {
    const key = partKey(log, sha256, facts, index)
    const object = { key, body: await readFile(path), type: 'application/vnd.apache.parquet' }
    parts.push({ ...(await archive.put(object, signal)), ...facts })
  }
  return parts
}

async function storeManifest(
  log: OwnedLog,
  { log: name, partition, lower, upper }: PastMonth,
  archive: MonthArchive,
  { entries, sha256, after, parts }: Content & { readonly parts: readonly ArchivedPart[] },
  signal: AbortSignal,
): Promise<KeptManifest> {
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
  const object = { key: manifestKey(manifest, body), body, type: 'application/json' }
  return { reference: await archive.put(object, signal), manifest }
}

function seqRange(parts: readonly Pick<ParquetFile, 'seq'>[]): ParquetFile['seq'] {
  const [lowest, highest] = [
    parts.map(({ seq }) => BigInt(seq.lowest)).reduce((a, b) => (a < b ? a : b)),
    parts.map(({ seq }) => BigInt(seq.highest)).reduce((a, b) => (a > b ? a : b)),
  ]
  return { lowest: String(lowest), highest: String(highest) }
}

/** Makes sure that the manifest is there, and all that it lists: before it was, somebody else might have taken that away. */
async function confirmStored(
  { log }: PastMonth,
  archive: MonthArchive,
  { reference, manifest }: KeptManifest,
  signal: AbortSignal,
): Promise<void> {
  await archive.fetch(reference, 'store', signal)
  const there = new Set<string>()
  for (const month of new Set(manifest.parts.map((part) => part.month))) {
    for (const key of await archive.list(entriesFolder(log, month), signal)) there.add(key)
  }
  const gone = manifest.parts.find(({ key }) => !there.has(key))
  if (gone) throw brokenArchive(gone.key, archive.location, 'it is gone')
}
