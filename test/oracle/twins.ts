import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, expect } from 'vitest'
import { applyMigrations, createScript } from '../../scripts/schema-engine.ts'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { createDatabase, type Database } from '../support/database.ts'
import {
  type Caller,
  expectEntriesToMatchOracle,
  installOracle,
  lastChange,
  markOracle,
  type OracleCall,
} from '../support/oracle.ts'
import type { Outcome } from '../support/outcome.ts'
import { type Watched, watchedTables, watchTables } from '../support/watch.ts'
import { emptyingSql, firstRows } from './first-rows.ts'
import { anyRefusedRow, masked, sameOrder } from './masks.ts'
import { type Around, type Client, perform } from './perform.ts'
import type { OracleSchema } from './schemas.ts'
import { printSteps, type Step } from './steps.ts'

/** What a run of some steps showed. */
export interface Shown {
  readonly outcomes: readonly Outcome[]
  readonly entries: number
}

/** How the first of the two databases is recorded. */
export interface SetUp {
  readonly watched: Watched
  /** The client that changes it: an audited one, or a plain one of which the database knows nothing. */
  readonly client: 'audited' | 'plain'
}

/** Two databases of one schema, one with an audited client and an oracle, the other with a plain client. */
export class Twins {
  readonly #schema: OracleSchema
  readonly #auditedDb: Database
  readonly #plainDb: Database
  /** The client that changes the recorded database. */
  readonly #audited: Client
  readonly #plain: Client
  readonly #restart: string
  readonly #isAudited: boolean
  #calls = 0

  private constructor(
    schema: OracleSchema,
    databases: readonly [Database, Database],
    restart: string,
    isAudited: boolean,
  ) {
    const [auditedDb, plainDb] = databases
    const client = ({ url }: Database) =>
      new schema.Client({ adapter: new PrismaPg({ connectionString: url }) })
    this.#schema = schema
    this.#auditedDb = auditedDb
    this.#plainDb = plainDb
    this.#isAudited = isAudited
    this.#audited = isAudited
      ? withAudit(client(auditedDb), { redactSecrets: schema.secrets !== undefined })
      : client(auditedDb)
    this.#plain = client(plainDb)
    this.#restart = restart
    afterAll(() => Promise.all([this.#audited.$disconnect(), this.#plain.$disconnect()]))
  }

  /** Makes both; call it at the top of a test file. */
  static async create(
    schema: OracleSchema,
    { watched, client }: SetUp = { watched: watchedTables, client: 'audited' },
  ): Promise<Twins> {
    const databases = [await createTables(schema), await createTables(schema)] as const
    await watchTables(databases[0], schema.text, watched, { redactSecrets: schema.secrets !== undefined })
    await installOracle(databases[0])
    await databases[0].sql('CREATE INDEX ON audit_logs (seq)')
    const empty = await emptyingSql(databases[0].sql)
    const restart = `BEGIN; SET LOCAL session_replication_role = replica;
      ${empty}\n${firstRows(schema.dataModel)}\n${schema.rows}\nCOMMIT;`
    return new Twins(schema, databases, restart, client === 'audited')
  }

  /**
   * Performs the steps on both from the same start, and asserts that every outcome is the same, that the log is what the
   * oracle saw and has each failed call once, and that the tables are the same in the end.
   */
  async expectSame(steps: readonly Step[]): Promise<Shown> {
    await this.#restartBoth()
    const since = await markOracle(this.#auditedDb)
    const calls: OracleCall[] = []
    const failed: string[] = []
    const outcomes: Outcome[] = []
    for (const step of steps) {
      const wanted = await perform(this.#plain, step, async (_, work) => await work())
      const found = await perform(this.#audited, step, this.#asCaller(calls, failed))
      const printed = printSteps([step])
      const compared = (outcomes: readonly Outcome[]) => {
        const inOrder = masked(sameOrder(outcomes))
        return printed.includes('.updateMany') ? anyRefusedRow(inOrder) : inOrder
      }
      expect(compared(found), printed).toEqual(compared(wanted))
      outcomes.push(...found)
    }
    const { models, secrets = [] } = this.#schema
    const entries = await expectEntriesToMatchOracle(this.#auditedDb, since, {
      ...{ models, secrets },
      ...(this.#isAudited ? { calls } : { unaudited: true }),
    })
    if (this.#isAudited) expect(await this.#failures(since.seq)).toEqual(failed.sort())
    const [tables, wanted] = await Promise.all([contents(this.#auditedDb), contents(this.#plainDb)])
    expect(tables).toEqual(wanted)
    return { outcomes, entries }
  }

  /**
   * Lets several callers perform steps at once on the audited client, and asserts that the log is what the oracle saw.
   * The plain client has no part in it: who is first, and so what comes back, differs from run to run.
   */
  async expectLogOf(callers: readonly (readonly Step[])[]): Promise<Shown> {
    await this.#restartBoth()
    const since = await markOracle(this.#auditedDb)
    const outcomes: Outcome[] = []
    const work = async (steps: readonly Step[]) => {
      for (const step of steps) {
        outcomes.push(...(await perform(this.#audited, step, async (_, call) => await call())))
      }
    }
    await Promise.all(callers.map(work))
    const { models, secrets = [] } = this.#schema
    return {
      outcomes,
      entries: await expectEntriesToMatchOracle(this.#auditedDb, since, { models, secrets }),
    }
  }

  /** Puts the first rows back. */
  async #restartBoth(): Promise<void> {
    await Promise.all([this.#auditedDb.sql(this.#restart), this.#plainDb.sql(this.#restart)])
  }

  /** Makes each call in a context of its own, and notes it for the oracle. */
  #asCaller(calls: OracleCall[], failed: string[]): Around {
    return async (operations, work) => {
      const n = ++this.#calls
      const [operation] = operations
      const isKnown = operations.every((one) => one === operation)
      const caller = callerNumber(n, (isKnown && operation) || null)
      calls.push({
        after: await lastChange(this.#auditedDb),
        caller,
        batch: isKnown ? undefined : operations,
      })
      const [id, type, email] = caller.actor
      return withAuditContext(
        {
          actor: { id, type: type as 'user', ...(email !== null && { email }) },
          requestId: caller.request ?? undefined,
          ip: caller.ip ?? undefined,
          userAgent: caller.userAgent ?? undefined,
          organizationId: caller.organization ?? undefined,
          reason: caller.reason ?? undefined,
          ...(caller.metadata !== null && { metadata: caller.metadata as Record<string, unknown> }),
        },
        work,
      ).catch((error: unknown) => {
        failed.push(caller.actor[0])
        throw error
      })
    }
  }

  /** The actors of the failed attempts that the log has. */
  async #failures(since: bigint): Promise<string[]> {
    if ('$audit' in this.#audited) await this.#audited.$audit.flush()
    const entries = await this.#auditedDb.entries(since)
    return entries
      .filter(({ outcome }) => outcome === 'failure')
      .map(({ actor_id }) => actor_id)
      .sort()
  }
}

/** Somebody else each time, who says more or less of themselves. */
function callerNumber(n: number, operation: string | null): Caller {
  const some = <T>(every: number, value: T) => (n % every === 0 ? value : null)
  return {
    operation,
    actor: [`caller-${n}`, ['user', 'system', 'api_key'][n % 3] as string, some(2, `caller-${n}@x.org`)],
    request: `request-${n}`,
    ip: some(3, `10.0.${(n >> 8) % 256}.${n % 256}`),
    userAgent: some(4, `agent "${n}"`),
    organization: some(5, `organization-${n % 7}`),
    reason: some(6, `it's time no. ${n}`),
    metadata: some(7, { n, deep: [n, { 'é"\\': null }] }),
  }
}

async function createTables(schema: OracleSchema): Promise<Database> {
  const database = await createDatabase({ template: 'template1' })
  await applyMigrations(database.url, 'prisma/migrations')
  await database.sql('CREATE EXTENSION IF NOT EXISTS citext')
  const withoutLog = schema.text.replace(/model \w+ \{[^}]*@@map\("audit_logs"\)[^}]*\}/, '')
  await database.sql(await createScript(database.url, withoutLog))
  await database.sql(schema.setUp)
  return database
}

/** Every table's rows. */
async function contents({ sql }: Database): Promise<unknown> {
  const tables = await sql<{ name: string }>(`
    SELECT relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE relkind = 'r' AND nspname = 'public' AND relname <> 'audit_logs' ORDER BY relname`)
  const queries = tables.map(
    ({ name }) => `SELECT '${name}' AS name, (SELECT jsonb_agg(to_jsonb(t)) FROM "${name}" AS t) AS rows`,
  )
  return masked(sameOrder(await sql(`${queries.join(' UNION ALL ')} ORDER BY name`)))
}
