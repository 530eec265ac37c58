import { readFile } from 'node:fs/promises'
import { expect, it, vi } from 'vitest'
import { maintainProjectLog } from '../../src/cli/maintain.ts'
import { readStatus } from '../../src/cli/status.ts'
import { withAudit } from '../../src/index.ts'
import { createProject } from '../cli/project.ts'
import { createClient, type Database } from '../support/database.ts'
import { createPartitioned, partitionsOf } from './partitioned.ts'

/** A log of which only this month and the next have a partition, and a default partition that somebody has made. */
async function withDefault(): Promise<Database> {
  const db = await createPartitioned()
  for (const name of (await partitionsOf(db)).slice(2)) await db.sql(`DROP TABLE ${name}`)
  await db.sql('CREATE TABLE audit_logs_default PARTITION OF audit_logs DEFAULT')
  return db
}

/** Writes an entry of a time that has no month. */
const write = (db: Database) =>
  db.sql(`INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type)
    VALUES (gen_random_uuid(), now() + interval '3 months', 'a.b', 'x', 'user', 'a')`)

async function maintain(db: Database, options: { isDryRun?: boolean } = {}) {
  vi.stubEnv('DATABASE_URL', db.url)
  const { directory } = await createProject({})
  return maintainProjectLog(directory, { table: undefined, since: undefined, isDryRun: false, ...options })
}

async function problems(db: Database) {
  const { checks } = await readStatus(db.url)
  return checks.filter(({ state, message }) => state !== 'ok' && message.includes('partition'))
}

const what =
  'it is a default partition: what it takes never leaves the log, and no month can be created that it has entries of'
const empty = `${what}; it has never had an entry: DROP TABLE public.audit_logs_default`
const filled = `${what}; put its entries into months, as docs/partitions.md says`

it('maintain creates the months beside an empty one, protects it, and names it each time', async () => {
  const db = await withDefault()
  const named = { action: 'wait for', subject: 'public.audit_logs_default', why: empty }
  const [dry, done] = [await maintain(db, { isDryRun: true }), await maintain(db)]
  const actions = (all: typeof done) => all.map(({ action }) => action)
  expect(actions(dry)).toEqual([
    ...Array.from({ length: 11 }, () => 'create partition'),
    ...['protect partition', 'wait for'],
  ])
  expect(actions(done)).toEqual(actions(dry))
  expect(dry.slice(-2)).toEqual([
    { action: 'protect partition', subject: 'public.audit_logs_default' },
    named,
  ])
  expect(done.at(-1)).toEqual(named)
  expect(await maintain(db)).toEqual([named])
  await db.sql('DROP TABLE audit_logs_default')
  expect(await maintain(db)).toEqual([])
})

it('status and health name it: a warning while it is empty', async () => {
  const db = await withDefault()
  await maintain(db)
  expect(await problems(db)).toEqual([
    { state: 'warning', message: `partition public.audit_logs_default: ${empty}` },
  ])
  expect(await withAudit(createClient(db.url)).$audit.health()).toMatchObject({
    state: 'degraded',
    problem: {
      code: 'AUDIT_PARTITION_DEFAULT',
      message: `The audit log "audit_logs" has the partition public.audit_logs_default that it should not have: ${empty}. Entries are still written.`,
    },
  })
})

it('one with entries is a failure, and maintain says why it creates nothing', async () => {
  const db = await withDefault()
  await write(db)
  expect(await problems(db)).toEqual([
    {
      state: 'warning',
      message: expect.stringMatching(
        /^there are partitions until \d{4}-\d\d-01 only, and from then on the default partition takes what is recorded: npx/,
      ),
    },
    { state: 'missing', message: `partition public.audit_logs_default: ${filled}` },
    { state: 'missing', message: expect.stringContaining('do not refuse every UPDATE') },
  ])
  await expect(maintain(db)).rejects.toMatchObject({
    code: 'AUDIT_NOT_MAINTAINED',
    message: expect.stringMatching(
      /PostgreSQL said: the default partition public\.audit_logs_default has entries of \d{4}-\d\d, so the month can't be created\. See docs\/partitions\.md\./,
    ),
  })
})

it('its entries go into months as the document says', async () => {
  const db = await withDefault()
  await write(db)
  const before = await db.sql('SELECT * FROM audit_logs')
  const document = await readFile('docs/partitions.md', 'utf8')
  const [, statements = ''] =
    /```sql\n(BEGIN;\nALTER TABLE audit_logs DETACH PARTITION audit_logs_default;\n.*?)```/s.exec(document) ??
    []
  await db.sql(statements)
  expect(await db.sql('SELECT * FROM audit_logs')).toEqual(before)
  expect(await problems(db)).toEqual([])
  expect(await maintain(db)).toEqual([])
})
