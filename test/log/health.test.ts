import { expect, test } from 'vitest'
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
