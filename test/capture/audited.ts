import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll } from 'vitest'
import { type AuditOptions, withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createDatabase, type Database, type Entry } from '../support/database.ts'
import {
  expectEntriesToMatchOracle,
  installOracle,
  markOracle,
  type OracleOptions,
} from '../support/oracle.ts'

/** An audited client on a database of its own, where an oracle writes every row change down. */
export async function createAudited(
  options: AuditOptions<PrismaClient> & { setUp?: string; oracle?: OracleOptions } = {},
) {
  const { setUp, oracle, ...auditOptions } = options
  const db = await createDatabase()
  if (setUp) await db.sql(setUp)
  await installOracle(db)
  const adapter = new PrismaPg({ connectionString: db.url })
  const prisma = withAudit(new PrismaClient({ adapter }), auditOptions)
  afterAll(() => prisma.$disconnect())
  return { db, prisma, recordedBy: recorder(db, oracle), empty: () => emptyTables(db) }
}

/** An entry without what is different in every run: `action`, the resource's `id`, and the details. */
export interface Recorded {
  action: string
  id: string | null
  // biome-ignore lint/suspicious/noExplicitAny: details differ by action
  [detail: string]: any
}

/** Runs `work`, asserts that its changes' entries are what the oracle saw, and gives them in order. */
export function recorder(db: Database, oracle: OracleOptions = {}) {
  return async (work: () => PromiseLike<unknown>): Promise<Recorded[]> => {
    const since = await markOracle(db)
    await work()
    await expectEntriesToMatchOracle(db, since, oracle)
    return (await db.changes(since.seq)).map(recorded)
  }
}

export function recorded({ action, resource_id: id, details }: Entry): Recorded {
  return { action, id, ...details }
}

/**
 * Entries in a line each: `user.update 1 [name]`, `post.connect p1 tags → tag 7`,
 * `comment.delete 3 because user.delete`.
 */
export function brief(entries: Recorded[]): string[] {
  return entries.map(({ action, id, changed, relation, target, cause }) =>
    [
      action,
      id ?? '(no id)',
      ...(changed ? [`[${changed.join(', ')}]`] : []),
      ...(relation ? [`${relation} → ${target.type} ${target.id}`] : []),
      ...(cause ? [`because ${cause}`] : []),
    ].join(' '),
  )
}

/** The same, in an order that does not depend on how rows come out of a statement. */
export function briefSorted(entries: Recorded[]): string[] {
  return brief(entries).sort()
}

/** Empties every table but the log, and starts generated ids over. No trigger sees it. */
export async function emptyTables(db: Database): Promise<void> {
  await db.sql(await emptyingScript(db))
}

/** The statement that does, for the tables there are now. */
export async function emptyingScript(db: Database): Promise<string> {
  const tables = await db.sql<{ name: string }>(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema|oracle)' AND c.relname <> 'audit_logs'
  `)
  return `TRUNCATE ${tables.map(({ name }) => name).join(', ')} RESTART IDENTITY;`
}
