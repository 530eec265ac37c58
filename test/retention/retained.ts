import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'
import type { MonthArchive } from '../../src/archive-contract.ts'
import { archiveFolder } from '../../src/parquet/archive-folder.ts'
import { maintainLog } from '../../src/retention/maintain.ts'
import type { MaintenanceOptions } from '../../src/retention/maintenance.ts'
import { type OwnedLog, ownedLog } from '../../src/retention/owned-log.ts'
import type { RetentionOptions } from '../../src/retention-options.ts'
import { retentionSchema } from '../../src/retention-schema.ts'
import { logOf } from '../reader/readers.ts'
import type { Database } from '../support/database.ts'

/** The log of a database, as its owner maintains it. */
export function ownedLogOf(db: Database): OwnedLog {
  return ownedLog({
    ...logOf(db),
    transaction: async (work) => {
      const client = await db.pool.connect()
      client.on('error', () => {}) // the next statement says so
      try {
        await client.query('BEGIN')
        return await work({
          query: async <Row>(sql: string, ...values: readonly unknown[]) =>
            (await client.query(sql, [...values])).rows as Row[],
        })
      } finally {
        await client.query('ROLLBACK').catch(() => {})
        client.release()
      }
    },
  })
}

/** A folder of the calling test's own. */
export async function temporaryArchive(): Promise<{ archive: MonthArchive; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-archive-test-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return { archive: archiveFolder({ directory }), directory }
}

/** A folder of the calling file's own: it is there before and after each of its tests. */
export async function archiveOfFile(): Promise<{ archive: MonthArchive; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-archive-test-'))
  afterAll(() => rm(directory, { recursive: true, force: true }))
  return { archive: archiveFolder({ directory }), directory }
}

/** Maintains a log once by a policy. */
export function maintainBy(
  db: Database,
  policy: RetentionOptions | (() => RetentionOptions),
  options: Partial<MaintenanceOptions> = {},
) {
  return maintainLog(ownedLogOf(db), {
    ...{ isDryRun: false, ...options },
    retention: async () => retentionSchema.parse(typeof policy === 'function' ? policy() : policy),
  })
}
