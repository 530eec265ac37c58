import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { Database } from './database.ts'

const logColumns = 'id, "timestamp", seq, action, actor_id, actor_type, resource_type'

/** What somebody may try on a table with entries, or on one that will have some. The columns of its key are named by `key`. */
export function attacksOn(
  table: string,
  { version, key }: { version: number; key: string },
): [attack: string, statement: string][] {
  const merge = (action: string) =>
    `MERGE INTO ${table} l USING (SELECT id FROM audit_logs) s ON s.id = l.id WHEN MATCHED THEN ${action}`
  return [
    ['UPDATE', `UPDATE ${table} SET action = 'forged'`],
    ['UPDATE ONLY', `UPDATE ONLY ${table} SET action = 'forged'`],
    ['UPDATE of no row', `UPDATE ${table} SET action = 'forged' WHERE false`],
    ['UPDATE of one column to itself', `UPDATE ${table} SET reason = reason`],
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
      `INSERT INTO ${table} (${logColumns}) OVERRIDING SYSTEM VALUE
       SELECT id, "timestamp", seq, 'forged', 'x', 'user', 'a' FROM ${table}
       ON CONFLICT (${key}) DO UPDATE SET action = 'forged'`,
    ],
    ['a writing CTE', `WITH gone AS (DELETE FROM ${table} RETURNING 1) SELECT count(*) FROM gone`],
    ...(version >= 15
      ? ([
          ['MERGE … UPDATE', merge(`UPDATE SET action = 'forged'`)],
          ['MERGE … DELETE', merge('DELETE')],
        ] as [string, string][])
      : []),
  ]
}

/** Expects that a statement is refused also in a session that replicates. */
export async function expectRefusedToReplica({ pool }: Database, statement: string): Promise<void> {
  const connection = await pool.connect()
  try {
    await connection.query('SET session_replication_role = replica')
    await expect(connection.query(statement)).rejects.toMatchObject({ code: 'ZA001' })
  } finally {
    await connection.query('RESET session_replication_role')
    connection.release()
  }
}

/** Expects that a statement is refused to the owner of these tables, too, who is no superuser. */
export async function expectRefusedToOwner(
  { pool }: Database,
  tables: readonly string[],
  statement: string,
): Promise<void> {
  const owner = `owner_${randomUUID().slice(0, 8)}`
  const connection = await pool.connect()
  try {
    await connection.query(`BEGIN; CREATE ROLE ${owner}; GRANT CREATE ON SCHEMA public TO ${owner}`)
    for (const table of tables) await connection.query(`ALTER TABLE ${table} OWNER TO ${owner}`)
    await connection.query(`SET LOCAL ROLE ${owner}`)
    await expect(connection.query(statement)).rejects.toMatchObject({ code: 'ZA001' })
  } finally {
    await connection.query('ROLLBACK')
    connection.release()
  }
}
