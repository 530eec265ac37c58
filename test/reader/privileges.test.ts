import { readFile } from 'node:fs/promises'
import { afterAll, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { until, write } from './readers.ts'

const database = await createDatabase()
const role = unique('reader').replaceAll('-', '_')
const url = new URL(database.url)
url.username = role
url.password = 'secret'
await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
afterAll(() => database.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`))

it('a role without the grants is told what it lacks', async () => {
  const prisma = withAudit(createClient(url.toString()))
  await expect(prisma.$audit.subscribe('alerts', () => {})).rejects.toMatchObject({
    code: 'AUDIT_UNREADABLE',
    message: expect.stringContaining('docs/privileges.md'),
  })
})

it('a role with the documented grants can subscribe', async () => {
  const document = await readFile('docs/privileges.md', 'utf8')
  const [, grants = ''] = /## A role that reads on[\s\S]*?```sql\n([\s\S]*?)```/.exec(document) ?? []
  await database.sql(grants.replaceAll('TO reader', `TO ${role}`))
  const prisma = withAudit(createClient(url.toString()))
  const told: string[] = []
  const subscription = await prisma.$audit.subscribe(
    'alerts',
    (entries) => void told.push(...entries.map(({ action }) => action)),
    { pollInterval: 20 },
  )
  await write(database.pool, 'for.reader')
  await until(() => told.length > 0, 'the entry should have come')
  await database.sql('UPDATE audit_logs_internal.eras SET timeline = timeline - 1')
  await write(database.pool, 'next.era')
  await until(() => told.length > 1, 'the entry of the next era should have come')
  await subscription.stop()
  expect(told).toEqual(['for.reader', 'next.era'])
})
