import { beforeEach, expect } from 'vitest'
import { type AuditOptions, withAudit } from '../../src/index.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase, type Entry } from '../support/database.ts'
import { emptyTables } from '../support/empty-tables.ts'

/** Audited clients on a database of its own, empty in every test, and what comes of a call that fails. */
export async function createFailing() {
  const db = await createDatabase()
  beforeEach(() => emptyTables(db))

  /** An audited client on the file's database. */
  function audited(
    options: AuditOptions<PrismaClient> = {},
    pool: { max?: number; connectionTimeoutMillis?: number } = {},
  ) {
    return withAudit(createClient(db.url, pool), options)
  }

  /**
   * Runs `work`, which has to fail, and gives its error and the entries that were there when it was thrown; with `queuedBy`,
   * those that this client had queued, too.
   */
  async function failing(
    work: () => PromiseLike<unknown>,
    queuedBy?: { $audit: { flush(): Promise<void> } },
  ): Promise<{ error: Error & { code?: string }; entries: Entry[] }> {
    const since = await db.lastSeq()
    let error: unknown
    try {
      await work()
    } catch (caught) {
      error = caught
    }
    await queuedBy?.$audit.flush()
    const entries = await db.entries(since)
    expect(error).toBeInstanceOf(Error)
    return { error: error as Error, entries }
  }

  return { db, prisma: audited(), audited, failing }
}

/** What an entry says of the failure. */
export function failure({ action, resource_type, resource_id, outcome, reason, details }: Entry) {
  expect(outcome).toBe('failure')
  expect(resource_type).toBe(action.split('.')[0])
  return { action, id: resource_id, reason, details }
}
