import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { attacksOn, expectRefusedToOwner, expectRefusedToReplica } from '../support/attacks.ts'
import { createPartitioned, partitionsOf } from './partitioned.ts'

const db = await createPartitioned()
await db.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
  SELECT gen_random_uuid(), 'a.b', 'x', 'user', 'a' FROM generate_series(1, 3)`)
const [current = '', next = ''] = await partitionsOf(db)
const log = { version: await db.serverVersion(), key: 'id, "timestamp"' }

const all = [
  ['the log', 'audit_logs'],
  ['the partition of this month', current],
  ['a partition of a month to come', next],
].flatMap(([what = '', table = '']) =>
  attacksOn(table, log).map(([attack, statement]) => [`${attack} on ${what}`, statement] as const),
)

describe('an entry of a partitioned log cannot be changed or removed', () => {
  it.each(all)('by %s', async (_, statement) => {
    const before = await db.entries()
    await expect(db.sql(statement)).rejects.toMatchObject({ code: 'ZA001' })
    expect(await db.entries()).toEqual(before)
  })

  it.each(all)('by %s under session_replication_role = replica', (_, statement) =>
    expectRefusedToReplica(db, statement),
  )

  it.each(all)('by %s of the owner, who is no superuser', async (_, statement) => {
    await expectRefusedToOwner(db, ['audit_logs', '"Reading"', ...(await partitionsOf(db))], statement)
  })
})

describe('a role with every privilege on the log', () => {
  it('has none on its partitions, also where the schema gives them to everybody by default', async () => {
    const role = `app_${randomUUID().slice(0, 8)}`
    const connection = await db.pool.connect()
    try {
      await connection.query(`BEGIN; CREATE ROLE ${role}; GRANT ALL ON audit_logs TO ${role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO ${role}, PUBLIC;
        SELECT audit_logs_internal.create_partitions('audit_logs', 14)`)
      const { rows } = await connection.query(
        `SELECT partition::text FROM audit_logs_internal.partitions('audit_logs')
         WHERE has_any_column_privilege($1, partition, 'SELECT, INSERT, UPDATE')
           OR has_table_privilege($1, partition, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')`,
        [role],
      )
      expect(rows).toEqual([])
      await connection.query(`SET LOCAL ROLE ${role}`)
      await expect(connection.query(`SELECT * FROM ${next}`)).rejects.toMatchObject({ code: '42501' })
    } finally {
      await connection.query('ROLLBACK')
      connection.release()
    }
  })
})

describe('a partition that somebody else created', () => {
  it('is protected by the next maintenance', async () => {
    await db.sql(
      `CREATE TABLE foreign_month PARTITION OF audit_logs FOR VALUES FROM ('2031-01-01') TO ('2031-02-01')`,
    )
    await db.sql('TRUNCATE foreign_month')
    expect(await db.sql(`SELECT * FROM audit_logs_internal.create_partitions('audit_logs', 12)`)).toEqual([
      { partition: 'public.foreign_month', is_new: false },
    ])
    for (const [, statement] of attacksOn('foreign_month', log)) {
      await expect(db.sql(statement)).rejects.toMatchObject({ code: 'ZA001' })
    }
    expect(await db.sql(`SELECT * FROM audit_logs_internal.create_partitions('audit_logs', 12)`)).toEqual([])
  })
})
