import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AuditPage, withAudit } from '../../src/index.ts'
import { hasBouncer, startBouncer } from '../proof/bouncer.ts'
import { createClient, createDatabase, type Database } from '../support/database.ts'
import { insertEntries } from '../support/insert-entries.ts'
import { createPartitioned, fillMonths, partitionLog } from './partitioned.ts'

const seqs = ({ entries }: AuditPage) => entries.map(({ seq }) => seq)

const ofUser3 = (db: Database, condition = 'true') =>
  db
    .sql<{ seq: string }>(
      `SELECT seq FROM audit_logs WHERE resource_type = 'user' AND resource_id = '3' AND ${condition} ORDER BY "timestamp" DESC`,
    )
    .then((rows) => rows.map(({ seq }) => BigInt(seq)))

/** A client of a role that may do what is granted, and the statements that it sends. */
async function clientWith(db: Database, grants: (role: string) => string) {
  const role = `reader_${randomUUID().slice(0, 8)}`
  await db.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'; ${grants(role)}`)
  onTestFinished(() => db.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`).then(() => {}))
  const url = new URL(db.url)
  url.username = role
  url.password = 'secret'
  const sent: string[] = []
  const client = createClient(url.href)
  const queryRaw = client.$queryRawUnsafe.bind(client)
  Object.assign(client, {
    $queryRawUnsafe: (sql: string, ...values: unknown[]) => {
      sent.push(sql)
      return queryRaw(sql, ...values)
    },
  })
  onTestFinished(() => client.$disconnect())
  return { audit: withAudit(client).$audit, sent }
}

async function createMonths(): Promise<Database> {
  const db = await createPartitioned()
  await fillMonths(db, 84, 2_000)
  return db
}

describe('the function of a partitioned log', () => {
  it('answers a role that may only read, in one statement', async () => {
    const db = await createMonths()
    const { audit, sent } = await clientWith(db, (role) => `GRANT SELECT ON audit_logs TO ${role}`)
    expect(seqs(await audit.history('User', 3, { limit: 1000 }))).toEqual(await ofUser3(db))
    sent.length = 0
    expect(seqs(await audit.history('User', 3, { limit: 1000 }))).toEqual(await ofUser3(db))
    expect(sent.map((sql) => sql.includes('"audit_logs_newest"('))).toEqual([true])
  })

  it('gives what policies let the caller see', async () => {
    const db = await createMonths()
    await db.sql(`ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
      CREATE POLICY mine ON audit_logs FOR SELECT USING (organization_id = current_setting('test.organization', true))`)
    const { audit } = await clientWith(
      db,
      (role) =>
        `GRANT SELECT ON audit_logs TO ${role}; ALTER ROLE ${role} SET test.organization = 'organization-1'`,
    )
    const expected = await ofUser3(db, `organization_id = 'organization-1'`)
    expect(expected.length).toBeGreaterThan(0)
    expect(seqs(await audit.history('User', 3, { limit: 1000 }))).toEqual(expected)
    await db.sql('DROP POLICY mine ON audit_logs')
  })

  it('is not needed: a role that may not call it reads month by month', async () => {
    const db = await createMonths()
    await db.sql('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC')
    const { audit, sent } = await clientWith(db, (role) => `GRANT SELECT ON audit_logs TO ${role}`)
    expect(seqs(await audit.history('User', 3, { limit: 1000 }))).toEqual(await ofUser3(db))
    expect(sent.filter((sql) => sql.includes('_newest"('))).toEqual([])
  })

  it.skipIf(!hasBouncer)('answers through PgBouncer in transaction mode', async () => {
    const db = await createMonths()
    const bouncer = await startBouncer(db.url, 2)
    const client = withAudit(createClient(bouncer.url))
    const asked = Array.from({ length: 30 }, () => client.$audit.history('User', 3, { limit: 1000 }))
    const expected = await ofUser3(db)
    for (const page of await Promise.all(asked)) expect(seqs(page)).toEqual(expected)
    await client.$disconnect()
    await bouncer.stop()
  })

  it('says nothing of entries to a role that may not read them', async () => {
    const db = await createMonths()
    const { audit } = await clientWith(db, () => '')
    await expect(audit.history('User', 3)).rejects.toMatchObject({ code: 'AUDIT_UNREADABLE' })
  })

  it('knows of months that come and go in the middle of a session', async () => {
    const db = await createMonths()
    const client = withAudit(createClient(db.url, { max: 1 }))
    const history = async () => seqs(await client.$audit.history('User', 3, { limit: 1000 }))
    for (let round = 0; round < 7; round++) expect(await history()).toEqual(await ofUser3(db))
    const [past] = await db.sql<{ partition: string }>(
      `SELECT partition::text FROM audit_logs_internal.partitions('audit_logs') OFFSET 5 LIMIT 1`,
    )
    await db.sql(`ALTER TABLE audit_logs DETACH PARTITION ${past?.partition}`)
    expect(await history()).toEqual(await ofUser3(db))
    await db.sql(`DROP TABLE ${past?.partition}`)
    await db.sql(
      `SELECT audit_logs_internal.create_partitions('audit_logs', 20, now() - interval '90 months')`,
    )
    const entry = { action: 'user.login', actor_id: 'x', resource_type: 'user', resource_id: '3' }
    await insertEntries(db, [
      { ...entry, timestamp: new Date(Date.now() - 88 * 30.5 * 86_400_000).toISOString() },
    ])
    expect(await history()).toEqual(await ofUser3(db))
    await client.$disconnect()
  })

  it('finds the first read of several records at once, and those of the past where there were any', async () => {
    const db = await createMonths()
    const client = withAudit(createClient(db.url))
    expect((await client.$audit.accesses('User', 3)).entries).toEqual([])
    const entry = { action: 'user.read', actor_id: 'x', resource_type: 'user', details: { ids: ['2', '3'] } }
    await insertEntries(db, [entry])
    expect((await client.$audit.accesses('User', 3)).entries).toHaveLength(1)
    await insertEntries(db, [
      { ...entry, timestamp: new Date(Date.now() - 1_500 * 86_400_000).toISOString() },
    ])
    // another client has not looked at the partitions yet
    const other = withAudit(createClient(db.url))
    expect((await other.$audit.accesses('User', 3)).entries).toHaveLength(2)
    await client.$disconnect()
    await other.$disconnect()
  })

  it('goes with a log that is converted, and keeps no table from being dropped', async () => {
    const db = await createDatabase()
    await insertEntries(db, [{ action: 'a.b', actor_id: 'x', resource_type: 'a', resource_id: '1' }])
    await partitionLog(db)
    const ask = `SELECT action FROM audit_logs_newest('record', '{a,1}', NULL, NULL, NULL, NULL, '{infinity,-infinity}', 'infinity', 'infinity', 0, 5)`
    expect(await db.sql(ask)).toEqual([{ action: 'a.b' }])
    const [first] = await db.sql<{ partition: string }>(
      `SELECT partition::text FROM audit_logs_internal.partitions('audit_logs') LIMIT 1`,
    )
    await db.sql(
      `ALTER TABLE audit_logs DETACH PARTITION ${first?.partition}; DROP TABLE ${first?.partition}`,
    )
    expect(await db.sql(ask)).toEqual([])
  })
})
