import { setTimeout as sleep } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, expect, it } from 'vitest'
import { type AuditError, withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { watchWith } from '../support/watch.ts'
import { startOwnServer } from './own-server.ts'

// Every statement is in the server's log. Its parameters are not: the application's own write has the value among them,
// audited or not, so that a server that logs parameters has it anyway.
const { server, database } = await startOwnServer({
  log_statement: 'all',
  log_min_duration_statement: '0',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
})
const secret = 'c0rrect-h0rse-battery'
const queued: AuditError[] = []
const redact = { User: ['name' as const], Everything: ['text' as const, 'jsonb' as const, 'texts' as const] }
await watchWith(database, { redact })
const client = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: database.url }) }), {
  redact,
  reads: ['User'],
  onError: (error) => queued.push(error),
})
afterAll(() => client.$disconnect())

/** Every row of every table as text. */
async function dump(): Promise<string> {
  const tables = await database.sql<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'`,
  )
  const rows = await Promise.all(
    tables.map(({ name }) =>
      database.sql<{ text: string }>(`SELECT entry::text AS text FROM ${name} AS entry`),
    ),
  )
  return rows.flatMap((some) => some.map(({ text }) => text)).join('\n')
}

it('a redacted value is nowhere but in the row itself', { timeout: 120_000 }, async () => {
  const passwordHash = secret
  const errors: unknown[] = []
  const fails = async (work: PromiseLike<unknown>) => {
    const before = errors.length
    await work.then(
      () => {},
      (error: unknown) => errors.push(error),
    )
    expect(errors.length).toBe(before + 1)
  }
  const email = 'ada@example.com'
  const { id } = await client.user.create({ data: { email, passwordHash, name: secret } })
  await client.user.update({ where: { email }, data: { passwordHash: `${secret}!` } })
  await client.user.updateMany({ data: { name: `${secret}?` } })
  await client.user.upsert({ where: { email }, create: { email, passwordHash }, update: { passwordHash } })
  await client.user.findMany({ where: { passwordHash } })
  await client.everything.createMany({ data: [{ text: secret, jsonb: { deep: secret }, texts: [secret] }] })
  await client.$executeRaw`UPDATE users SET password_hash = ${secret}, login_count = 7`
  await client.$audit.record({
    action: 'user.login',
    resource: { type: 'user', id: '1' },
    details: { password: secret },
  })
  // failures of every kind: a unique key, a missing record, a bad value, in transactions and in raw statements
  await fails(client.user.create({ data: { email, passwordHash } }))
  await fails(client.user.update({ where: { email: 'nobody' }, data: { passwordHash } }))
  await fails(client.user.update({ where: { email }, data: { passwordHash, managerId: -1 } }))
  await fails(client.$transaction((tx) => tx.user.create({ data: { email, passwordHash } })))
  await fails(client.$transaction([client.user.create({ data: { email, passwordHash } })]))
  await fails(client.$executeRaw`UPDATE users SET login_count = ${secret}::text::int`)
  await database.sql(`
    CREATE FUNCTION quote_it() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'not with %', NEW.password_hash; END $$;
    CREATE TRIGGER quote_it BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION quote_it()`)
  await fails(client.user.update({ where: { id }, data: { passwordHash: `${secret}#` } }))
  await database.sql('DROP TRIGGER quote_it ON users')
  await client.user.delete({ where: { id } })
  await client.$audit.flush()

  await client.everything.deleteMany()

  const log = await dump()
  expect(log.match(/failure/g)?.length).toBeGreaterThanOrEqual(7)
  expect(log).toContain('[redacted]')
  expect(log).not.toContain(secret)
  // what the library throws by itself, and what it could not write
  expect(JSON.stringify(queued.map(({ message, entry }) => [message, entry]))).not.toContain(secret)

  await sleep(200) // the server's output comes by a pipe
  const lines = server.log().split(/\n(?=\d{4}-|20)/)
  // a trigger's and a cast's own message quotes the value, with and without the audit
  const ofTheApplication = /not with|invalid input syntax for type integer/
  const rest = lines.filter((line) => !ofTheApplication.test(line)).join('\n')
  expect(rest).toContain('audit_logs')
  expect(rest).not.toContain(secret)
})
