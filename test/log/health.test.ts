import { expect, test, vi } from 'vitest'
import { type AuditError, withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'

const database = await createDatabase()
const reported: AuditError[] = []
const create = () => withAudit(createClient(database.url), { onError: (error) => reported.push(error) })
const prisma = create()

async function health() {
  const { state, problem } = await prisma.$audit.health()
  return [state, problem?.code]
}

test('a log with all its triggers is ok', async () => {
  expect(await health()).toEqual(['ok', undefined])
})

test.each([
  ['disabled', 'DISABLE TRIGGER audit_logs_refuse_update', 'ENABLE ALWAYS TRIGGER audit_logs_refuse_update'],
  [
    'passed by in a session with session_replication_role = replica',
    'ENABLE TRIGGER audit_logs_refuse_delete',
    'ENABLE ALWAYS TRIGGER audit_logs_refuse_delete',
  ],
  [
    'disabled, and looks at what an erasure changes',
    'DISABLE TRIGGER audit_logs_refuse_other_change',
    'ENABLE ALWAYS TRIGGER audit_logs_refuse_other_change',
  ],
])(
  'a log with a trigger that is %s is degraded: verify throws, the first write tells onError',
  async (_, harm, mend) => {
    await database.sql(`ALTER TABLE audit_logs ${harm}`)
    reported.length = 0
    try {
      expect(await health()).toEqual(['degraded', 'AUDIT_LOG_UNPROTECTED'])
      await expect(prisma.$audit.verify()).rejects.toMatchObject({ code: 'AUDIT_LOG_UNPROTECTED' })
      const fresh = create()
      await fresh.tag.deleteMany()
      await fresh.post.deleteMany()
      expect(reported.map(({ code }) => code)).toEqual(['AUDIT_LOG_UNPROTECTED'])
    } finally {
      await database.sql(`ALTER TABLE audit_logs ${mend}`)
    }
    expect(await health()).toEqual(['ok', undefined])
  },
)

test.each([
  ...['sealed_leaves', 'seal_nodes', 'checkpoints', 'verifications', 'seal_salts'].map((table) => [
    table,
    'refuse_change',
  ]),
  ['seal_salts', 'refuse_update'],
  ['seal_salts', 'refuse_other_change'],
])('a log whose %s can be changed past %s is degraded, and verify names the trigger', async (table, name) => {
  const inside = `audit_logs_internal.${table}`
  try {
    for (const harm of ['DISABLE', 'ENABLE']) {
      await database.sql(`ALTER TABLE ${inside} ${harm} TRIGGER ${name}`)
      expect(await health()).toEqual(['degraded', 'AUDIT_LOG_UNPROTECTED'])
      await expect(prisma.$audit.verify()).rejects.toMatchObject({
        code: 'AUDIT_LOG_UNPROTECTED',
        message: expect.stringContaining(
          `The trigger ${name} that refuses UPDATE, DELETE or TRUNCATE on "audit_logs_internal"."${table}"`,
        ),
      })
    }
  } finally {
    await database.sql(`ALTER TABLE ${inside} ENABLE ALWAYS TRIGGER ${name}`)
  }
  expect(await health()).toEqual(['ok', undefined])
})

test('of an unprotected log each client is told once, however often it reads the catalog, and again after it was mended', async () => {
  const fresh = create()
  const rereadAndWrite = async () => {
    await fresh.$executeRaw`CREATE TABLE reread (id int)`
    await fresh.$executeRaw`DROP TABLE reread`
    await fresh.tag.deleteMany()
  }
  reported.length = 0
  for (const times of [1, 2]) {
    await database.sql('ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_refuse_update')
    await rereadAndWrite()
    await rereadAndWrite()
    expect(reported.map(({ code }) => code)).toEqual(Array(times).fill('AUDIT_LOG_UNPROTECTED'))
    await database.sql('ALTER TABLE audit_logs ENABLE ALWAYS TRIGGER audit_logs_refuse_update')
    await rereadAndWrite()
  }
})

test('an onError that throws at an unprotected log fails no write: the process is warned instead', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const throwing = withAudit(createClient(database.url), {
    onError() {
      throw new Error('the monitoring is away')
    },
  })
  await database.sql('ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_refuse_update')
  try {
    expect(await throwing.tag.create({ data: { name: 'written' } })).toMatchObject({ name: 'written' })
    expect(warned.mock.calls).toEqual([
      [
        expect.stringContaining('the audit log "audit_logs" is missing or disabled'),
        { code: 'AUDIT_LOG_UNPROTECTED' },
      ],
    ])
  } finally {
    warned.mockRestore()
    await database.sql('ALTER TABLE audit_logs ENABLE ALWAYS TRIGGER audit_logs_refuse_update')
  }
})

test('a watched table that has got a trigger for each row since is degraded, and verify names it, until it is watched again', async () => {
  const own = await createDatabase()
  await own.sql(`SELECT audit_logs_watch('"Tag"', 'tag')`)
  const client = withAudit(createClient(own.url))
  await client.$audit.verify()
  await own.sql(`CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER other AFTER UPDATE ON "Tag" FOR EACH ROW EXECUTE FUNCTION nothing()`)
  await expect(client.$audit.verify()).rejects.toMatchObject({
    code: 'AUDIT_TRIGGERS_OUTDATED',
    message: expect.stringMatching(
      /^"public"\."Tag" has got a trigger for each row since its own were made: what that one changes is recorded in the wrong order\./,
    ),
  })
  expect(await client.$audit.health()).toMatchObject({
    state: 'degraded',
    problem: { code: 'AUDIT_TRIGGERS_OUTDATED' },
  })
  await own.sql(`SELECT audit_logs_watch('"Tag"', 'tag')`)
  expect(await client.$audit.health()).toEqual({ state: 'ok' })
})

test('a log without its table is broken', async () => {
  await database.sql('ALTER TABLE audit_logs RENAME TO gone')
  expect(await health()).toEqual(['broken', 'AUDIT_TABLE_MISSING'])
  await database.sql('ALTER TABLE gone RENAME TO audit_logs')
})

test('a log without one of its triggers is degraded', async () => {
  await database.sql('DROP TRIGGER audit_logs_refuse_truncate ON audit_logs')
  expect(await health()).toEqual(['degraded', 'AUDIT_LOG_UNPROTECTED'])
})

test('a database that is away is broken', async () => {
  const away = withAudit(createClient('postgresql://nobody@127.0.0.1:9/nothing'))
  const { state, problem } = await away.$audit.health()
  expect([state, problem?.code]).toEqual(['broken', 'AUDIT_UNREADABLE'])
})
