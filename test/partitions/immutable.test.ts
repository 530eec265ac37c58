import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createPartitioned, partitionsOf } from './partitioned.ts'

const db = await createPartitioned()
await db.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
  SELECT gen_random_uuid(), 'a.b', 'x', 'user', 'a' FROM generate_series(1, 3)`)
const version = await db.serverVersion()
const [current = '', next = ''] = await partitionsOf(db)

const merge = (table: string, action: string) =>
  `MERGE INTO ${table} l USING (SELECT id FROM audit_logs) s ON s.id = l.id WHEN MATCHED THEN ${action}`

/** What somebody may try on a table with entries, or on one that will have some. */
function attacksOn(table: string): [attack: string, statement: string][] {
  return [
    ['UPDATE', `UPDATE ${table} SET action = 'forged'`],
    ['UPDATE ONLY', `UPDATE ONLY ${table} SET action = 'forged'`],
    ['UPDATE of no row', `UPDATE ${table} SET action = 'forged' WHERE false`],
    [
      'UPDATE that moves to another month',
      `UPDATE ${table} SET "timestamp" = "timestamp" + interval '1 month'`,
    ],
    ['DELETE', `DELETE FROM ${table}`],
    ['DELETE of no row', `DELETE FROM ${table} WHERE false`],
    ['TRUNCATE', `TRUNCATE ${table}`],
    ['TRUNCATE CASCADE', `TRUNCATE "Reading", ${table} RESTART IDENTITY CASCADE`],
    [
      'INSERT … ON CONFLICT DO UPDATE',
      `INSERT INTO ${table} (id, "timestamp", seq, action, actor_id, actor_type, resource_type)
       OVERRIDING SYSTEM VALUE SELECT id, "timestamp", seq, 'forged', 'x', 'user', 'a' FROM ${table}
       ON CONFLICT (id, "timestamp") DO UPDATE SET action = 'forged'`,
    ],
    ['a writing CTE', `WITH gone AS (DELETE FROM ${table} RETURNING 1) SELECT count(*) FROM gone`],
    ...(version >= 15
      ? ([
          ['MERGE … UPDATE', merge(table, `UPDATE SET action = 'forged'`)],
          ['MERGE … DELETE', merge(table, 'DELETE')],
        ] as [string, string][])
      : []),
  ]
}

const all = [
  ['the log', 'audit_logs'],
  ['the partition of this month', current],
  ['a partition of a month to come', next],
].flatMap(([what = '', table = '']) =>
  attacksOn(table).map(([attack, statement]) => [`${attack} on ${what}`, statement] as const),
)

describe('an entry of a partitioned log cannot be changed or removed', () => {
  it.each(all)('by %s', async (_, statement) => {
    const before = await db.entries()
    await expect(db.sql(statement)).rejects.toMatchObject({ code: 'ZA001' })
    expect(await db.entries()).toEqual(before)
  })

  it.each(all)('by %s under session_replication_role = replica', async (_, statement) => {
    const connection = await db.pool.connect()
    try {
      await connection.query('SET session_replication_role = replica')
      await expect(connection.query(statement)).rejects.toMatchObject({ code: 'ZA001' })
    } finally {
      await connection.query('RESET session_replication_role')
      connection.release()
    }
  })

  it.each(all)('by %s of the owner, who is no superuser', async (_, statement) => {
    const owner = `owner_${randomUUID().slice(0, 8)}`
    const connection = await db.pool.connect()
    try {
      await connection.query(`BEGIN; CREATE ROLE ${owner}; GRANT CREATE ON SCHEMA public TO ${owner};
        ALTER TABLE audit_logs OWNER TO ${owner}; ALTER TABLE "Reading" OWNER TO ${owner}`)
      for (const name of await partitionsOf(db))
        await connection.query(`ALTER TABLE ${name} OWNER TO ${owner}`)
      await connection.query(`SET LOCAL ROLE ${owner}`)
      await expect(connection.query(statement)).rejects.toMatchObject({ code: 'ZA001' })
    } finally {
      await connection.query('ROLLBACK')
      connection.release()
    }
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
    for (const [, statement] of attacksOn('foreign_month')) {
      await expect(db.sql(statement)).rejects.toMatchObject({ code: 'ZA001' })
    }
    expect(await db.sql(`SELECT * FROM audit_logs_internal.create_partitions('audit_logs', 12)`)).toEqual([])
  })
})
