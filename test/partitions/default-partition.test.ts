import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { allPages } from '../search/all-pages.ts'
import { createClient, type Database } from '../support/database.ts'
import { insertEntries } from '../support/insert-entries.ts'
import { createPartitioned, fillMonths } from './partitioned.ts'

const hour = 3_600_000
const login = { action: 'user.login', actor_id: 'somebody', resource_type: 'user', resource_id: '3' }

/** All that `somebody` did, by pages of two, and by one look at the oldest. */
async function findSomebody(db: Database) {
  const { $audit: audit } = withAudit(createClient(db.url))
  const pages = await allPages((page) => audit.activity('somebody', page), 2)
  const stream: string[] = []
  for await (const { timestamp } of audit.stream({ actor: 'somebody' })) stream.push(timestamp.toISOString())
  return { pages: pages.map(({ timestamp }) => timestamp.toISOString()), stream }
}

async function writeAt(db: Database, ...times: (string | number)[]): Promise<string[]> {
  const moments = times.map((time) => new Date(time).toISOString())
  await insertEntries(
    db,
    moments.map((timestamp) => ({ ...login, timestamp })),
  )
  return moments.sort().reverse()
}

describe('a log with a default partition', () => {
  it.each([
    ['has the function of the log', ''],
    ['may not call it', `REVOKE EXECUTE ON FUNCTION audit_logs_newest FROM PUBLIC`],
  ])('gives each entry once, in order, whatever its time, to a role that %s', async (_, statement) => {
    const db = await createPartitioned()
    await fillMonths(db, 30, 300)
    await db.sql(`CREATE TABLE long_ago PARTITION OF audit_logs FOR VALUES FROM ('-infinity') TO ('2010-01-01');
      CREATE TABLE at_last PARTITION OF audit_logs FOR VALUES FROM ('2100-01-01') TO ('infinity');
      CREATE TABLE others PARTITION OF audit_logs DEFAULT; ${statement}`)
    const now = Date.now()
    const written = await writeAt(
      db,
      ...['2003-05-06', '2012-05-06', '2015-05-06', '2099-05-06', '2100-05-06'],
      ...[now - 20_000 * hour, now - 9_000 * hour, now - 2_000 * hour, now - hour, now + 8_000 * hour],
    )
    expect(await findSomebody(db)).toEqual({ pages: written, stream: written })
  })

  it('gives what is written at once, where no month is there for it', async () => {
    const db = await createPartitioned()
    await fillMonths(db, 30, 300)
    const [{ drop } = { drop: '' }] = await db.sql<{ drop: string }>(
      `SELECT string_agg(format('DROP TABLE %s', partition), ';') AS drop
       FROM audit_logs_internal.partitions('audit_logs') WHERE lower > now() - interval '1 month'`,
    )
    await db.sql(`BEGIN; SET LOCAL session_replication_role = replica; ${drop}; COMMIT;
      CREATE TABLE others PARTITION OF audit_logs DEFAULT`)
    const { $audit: audit } = withAudit(createClient(db.url))
    expect((await audit.activity('somebody')).entries).toEqual([])
    const written = await writeAt(db, Date.now())
    expect(
      (await audit.activity('somebody')).entries.map(({ timestamp }) => timestamp.toISOString()),
    ).toEqual(written)
  })

  it('is read by its months as long as the default partition is empty', async () => {
    const db = await createPartitioned()
    await fillMonths(db, 30, 3_000)
    await db.sql('CREATE TABLE others PARTITION OF audit_logs DEFAULT')
    const sent: string[] = []
    const client = createClient(db.url)
    const queryRaw = client.$queryRawUnsafe.bind(client)
    Object.assign(client, {
      $queryRawUnsafe: (sql: string, ...values: unknown[]) => {
        sent.push(sql)
        return queryRaw(sql, ...values)
      },
    })
    const { $audit: audit } = withAudit(client)
    await audit.search({ outcome: 'failure' }, { limit: 5 })
    expect(sent.at(-1)).toContain(`WHERE "timestamp" >= '`)
  })
})
