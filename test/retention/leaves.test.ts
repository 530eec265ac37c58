import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { MonthArchive } from '../../src/archive-contract.ts'
import type { ManifestFile } from '../../src/parquet/manifest.ts'
import { dayOfMonthAgo } from '../partitions/months-ago.ts'
import { createPartitioned } from '../partitions/partitioned.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { leavesOf, newKey, sealAll, signerOf } from '../seal/seals.ts'
import type { Database } from '../support/database.ts'
import { maintainBy, temporaryArchive } from './retained.ts'

/** Two months that are over; the names of their manifests begin so. */
const months = [2, 1].map(dayOfMonthAgo)
const [older = '', newer = ''] = months.map((day) => day.slice(0, 7))

/** A log with those months, and no entry. */
async function emptyMonths(): Promise<Database> {
  const db = await createPartitioned()
  await db.sql(`SELECT audit_logs_internal.create_partitions('audit_logs', 1, $1)`, [months[0]])
  return db
}

/** Writes an entry for each letter, of the older month for an `o` and of the newer one for an `n`, in transactions of their own. */
async function writeInto(db: Database, letters: string): Promise<void> {
  for (const letter of letters) {
    await db.sql(
      `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type)
        VALUES (gen_random_uuid(), $1, 'a.b', 'x', 'user', 'a')`,
      [letter === 'o' ? months[0] : months[1]],
    )
  }
  await untilReadable(db)
}

/** The manifests of an archive by their names, in order of time within a month. */
async function manifestsIn(directory: string, month: string): Promise<ManifestFile[]> {
  const folder = join(directory, 'public.audit_logs', 'manifests')
  const names = (await readdir(folder)).filter((name) => name.startsWith(month))
  const manifests = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as ManifestFile),
  )
  return manifests.sort((a, b) => Number(a.seq.lowest) - Number(b.seq.lowest))
}

/** The leaves whose entries are in the files of a manifest, found one by one. */
async function leavesInFiles(db: Database, archive: MonthArchive, { parts }: ManifestFile) {
  const signal = new AbortController().signal
  const paths = await Promise.all(parts.map((part) => archive.fetch(part, 'store', signal)))
  const ids = new Set<string>()
  for await (const rows of (await archive.engine()).rows(paths)) {
    for (const { id } of rows) ids.add(String(id).replaceAll('-', ''))
  }
  const leaves = await leavesOf(db, logOf(db))
  return leaves.filter(({ id }) => ids.has(id)).map(({ index }) => index)
}

const spelledOut = (runs: ManifestFile['leaves']) =>
  (runs ?? []).flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, n) => first + n))

describe('the leaves in the manifest of a month', () => {
  it('are exactly those of its entries, in runs', async () => {
    const db = await emptyMonths()
    await writeInto(db, 'ooonoonnnnonnnoo')
    await sealAll(logOf(db), await signerOf(newKey()), 5)
    const { archive, directory } = await temporaryArchive()
    await maintainBy(db, { default: '10 years', archive })
    const [[first], [second]] = [await manifestsIn(directory, older), await manifestsIn(directory, newer)]
    expect(first?.leaves).toEqual([
      [0, 2],
      [4, 5],
      [10, 10],
      [14, 15],
    ])
    expect(second?.leaves).toEqual([
      [3, 3],
      [6, 9],
      [11, 13],
    ])
    for (const manifest of [first, second] as [ManifestFile, ManifestFile]) {
      expect(spelledOut(manifest.leaves)).toEqual(await leavesInFiles(db, archive, manifest))
      expect(spelledOut(manifest.leaves)).toHaveLength(manifest.entries)
      expect(manifest.checkpoint?.size).toBe(16)
    }
  })

  it('are found over tiles, and where transactions commit in another order than they wrote', async () => {
    const db = await emptyMonths()
    const early = await db.pool.connect()
    try {
      await early.query('BEGIN')
      const insert = `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type)
        SELECT gen_random_uuid(), $1, 'a.b', 'x', 'user', 'a' FROM generate_series(1, $2::int)`
      await early.query('SELECT pg_current_xact_id()')
      await db.sql(insert, [months[1], 300])
      await early.query(insert, [months[0], 300])
      await db.sql(insert, [months[1], 10])
      await early.query('COMMIT')
    } finally {
      early.release()
    }
    await untilReadable(db)
    await sealAll(logOf(db), await signerOf(newKey()))
    const { archive, directory } = await temporaryArchive()
    await maintainBy(db, { default: '10 years', archive })
    const [[first], [second]] = [await manifestsIn(directory, older), await manifestsIn(directory, newer)]
    expect([first?.leaves, second?.leaves]).toEqual([[[0, 299]], [[300, 609]]])
  })

  it('are in what is archived later of a month only those of what came later', async () => {
    const db = await emptyMonths()
    const signer = await signerOf(newKey())
    await writeInto(db, 'oonno')
    await sealAll(logOf(db), signer)
    const { archive, directory } = await temporaryArchive()
    await maintainBy(db, { default: '10 years', archive })
    await writeInto(db, 'noo')
    await sealAll(logOf(db), signer)
    await maintainBy(db, { default: '1 day', archive })
    expect((await manifestsIn(directory, older)).map(({ leaves }) => leaves)).toEqual([
      [
        [0, 1],
        [4, 4],
      ],
      [[6, 7]],
    ])
  })

  it('are null in a log that is not sealed', async () => {
    const db = await emptyMonths()
    await writeInto(db, 'on')
    const { archive, directory } = await temporaryArchive()
    await maintainBy(db, { default: '10 years', archive })
    const [manifest] = await manifestsIn(directory, older)
    expect(manifest).toMatchObject({ entries: 1, checkpoint: null, leaves: null })
  })
})
