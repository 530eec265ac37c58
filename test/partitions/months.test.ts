import { expect, it, vi } from 'vitest'
import { convertProjectLog, maintainProjectLog } from '../../src/cli/maintain.ts'
import { describeStatus, readStatus } from '../../src/cli/status.ts'
import { withAudit } from '../../src/index.ts'
import { createProject, datasource, runCli } from '../cli/project.ts'
import { createClient, createDatabase, type Database } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { createPartitioned, partitionsOf } from './partitioned.ts'

async function problems(db: Database): Promise<string[]> {
  const { checks } = await readStatus(db.url)
  return checks
    .filter(({ state, message }) => state !== 'ok' && /partition|CHECK/.test(message))
    .map(({ message }) => message)
}

/** Leaves the log partitions for so many months after this one; with -1 none for now. */
async function leaveMonths(db: Database, months: number): Promise<void> {
  for (const name of (await partitionsOf(db)).slice(months + 1)) {
    await db.sql(`ALTER TABLE audit_logs DETACH PARTITION ${name}; DROP TABLE ${name}`)
  }
}

/** Leaves the log one partition, which ends in so many days. */
async function leaveDays(db: Database, days: number): Promise<void> {
  await leaveMonths(db, -1)
  await db.sql(
    `CREATE TABLE audit_logs_rest PARTITION OF audit_logs FOR VALUES FROM (MINVALUE) TO ('${new Date(Date.now() + days * 86_400_000).toISOString()}');
     SELECT audit_logs_internal.create_partitions('audit_logs', 0)`,
  )
}

it('a log that has months ahead is in place, and says until when', async () => {
  const db = await createPartitioned()
  const status = await readStatus(db.url)
  expect(status.ok).toBe(true)
  expect(describeStatus(status, { colors: false })).toMatch(/✔ 13 partitions, until \d{4}-\d\d-01\n/)
  await withAudit(createClient(db.url)).$audit.verify()
})

it('a log with few months ahead is warned of, then degraded', async () => {
  const db = await createPartitioned()
  const { $audit: audit } = withAudit(createClient(db.url))
  await leaveMonths(db, 1)
  expect(await problems(db)).toEqual([
    expect.stringMatching(
      /^there are partitions until \d{4}-\d\d-01 only, and from then on writes are refused: npx/,
    ),
  ])
  // whatever day it is
  await leaveDays(db, 31)
  expect((await audit.health()).state).toBe('ok')
  await leaveDays(db, 29)
  expect(await audit.health()).toMatchObject({
    state: 'degraded',
    problem: { code: 'AUDIT_PARTITIONS_ENDING' },
  })
})

it('without a month for now, a write is refused with its change, and says why; maintain brings it back', async () => {
  const db = await createPartitioned()
  const prisma = withAudit(createClient(db.url))
  const name = unique('tag')
  await leaveMonths(db, -1)
  await expect(prisma.tag.create({ data: { name } })).rejects.toMatchObject({
    code: 'AUDIT_PARTITION_MISSING',
  })
  await expect(prisma.$audit.record({ action: 'test.event' })).rejects.toMatchObject({
    code: 'AUDIT_PARTITION_MISSING',
  })
  await expect(prisma.$transaction((tx) => tx.tag.create({ data: { name } }))).rejects.toThrow()
  expect(await db.sql('SELECT FROM "Tag" WHERE name = $1', [name])).toEqual([])
  expect(await prisma.$audit.health()).toMatchObject({
    state: 'broken',
    problem: { code: 'AUDIT_PARTITION_MISSING' },
  })
  expect(await problems(db)).toEqual([expect.stringContaining('no partition is for now')])

  await db.sql(`SELECT audit_logs_internal.create_partitions('audit_logs', 12)`)
  await prisma.tag.create({ data: { name } })
  expect((await prisma.$audit.health()).state).toBe('ok')
})

it('the CHECK of a conversion that was interrupted is named, and the next conversion goes on', async () => {
  const db = await createDatabase()
  await db.sql(
    `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type) VALUES (gen_random_uuid(), 'a.b', 'x', 'user', 'a')`,
  )
  await db.sql(`SELECT audit_logs_internal.bound_log('audit_logs', NULL)`)
  expect(await problems(db)).toEqual([expect.stringContaining('of a conversion that was interrupted')])
  vi.stubEnv('DATABASE_URL', db.url)
  const project = await createProject({})
  expect(await convertProjectLog(project.directory, undefined, () => {})).toContain(
    'is a table of months now',
  )
  expect(await problems(db)).toEqual([])
})

it('maintain says what it would do, does it, and has nothing left to do', async () => {
  const db = await createPartitioned()
  await leaveMonths(db, 9)
  await db.sql(`INSERT INTO audit_logs_internal.written_ids (log, id, written_at) VALUES
    ('public.audit_logs', gen_random_uuid(), now() - interval '2 days'), ('public.audit_logs', gen_random_uuid(), now())`)
  vi.stubEnv('DATABASE_URL', db.url)
  const project = await createProject({})
  const given = { table: undefined, since: undefined }
  const dry = await maintainProjectLog(project.directory, { ...given, isDryRun: true })
  expect(dry.map(({ action, subject }) => `${action} ${subject}`)).toEqual(
    [1, 2, 3].map(() => expect.stringMatching(/^create partition \d{4}-\d\d$/)),
  )
  const done = await maintainProjectLog(project.directory, { ...given, isDryRun: false })
  expect(done.map(({ subject }) => subject)).toEqual(
    dry.map(({ subject }) => `public.audit_logs_${subject.replace('-', '_')}`),
  )
  expect(await maintainProjectLog(project.directory, { ...given, isDryRun: false })).toEqual([])
  expect(await db.sql('SELECT count(*)::int FROM audit_logs_internal.written_ids')).toEqual([{ count: 1 }])
  const since = await maintainProjectLog(project.directory, { ...given, isDryRun: false, since: '2020-11' })
  expect(since[0]).toEqual({ action: 'create partition', subject: 'public.audit_logs_2020_11' })
})

it('two at once create each month once', async () => {
  const db = await createPartitioned()
  await leaveMonths(db, 2)
  const both = await Promise.all(
    [1, 2].map(() => db.sql(`SELECT partition FROM audit_logs_internal.create_partitions('audit_logs', 12)`)),
  )
  expect(both.flat()).toHaveLength(10)
})

it('init --partitioned and partition write the migration and the key of the model', {
  timeout: 120_000,
}, async () => {
  const project = await createProject({ 'schema.prisma': datasource() })
  const run = (...args: string[]) => runCli(args, { cwd: project.directory })
  expect((await run('init')).code).toBe(0)
  expect(await project.read('schema.prisma')).toMatch(/id +String +@id @db.Uuid/)
  const { stdout, code } = await run('partition')
  expect(code).toBe(0)
  expect(stdout).toMatch(/change schema.prisma\ncreate migrations\/\d+_audit_log_partitioned\/migration.sql/)
  expect(stdout).toContain('findUnique({ where: { id } }) no longer compiles')
  expect(stdout).toContain('partition --convert')
  const schema = await project.read('schema.prisma')
  expect(schema).toMatch(/id +String +@db.Uuid/)
  expect(schema).toContain('  @@id([id, timestamp])\n  @@index([timestamp], type: Brin)')
  expect((await run('partition')).stdout).toContain('Nothing to do')

  const other = await createProject({ 'schema.prisma': datasource() })
  const fresh = await runCli(['init', '--partitioned'], { cwd: other.directory })
  expect(fresh.stdout).toContain('_audit_log_partitioned/migration.sql')
  expect(fresh.stdout).not.toContain('partition --convert')
  expect(await other.read('schema.prisma')).toBe(schema)
})
