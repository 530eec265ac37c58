import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { migration } from '../support/migration.ts'
import { hasPartman, startDebianPostgres } from './debian-postgres.ts'

/** What docs/partitions.md tells to run, once and then again and again. */
async function readRecipe(): Promise<[once: string, regularly: string]> {
  const document = await readFile('docs/partitions.md', 'utf8')
  const [, section = ''] = document.split('## pg_partman')
  const [once = '', regularly = ''] = [...section.matchAll(/```sql\n(.*?)```/gs)].map(([, sql = '']) => sql)
  return [once, regularly]
}

// needs Debian's package postgresql-15-partman: the servers of npm packages have no such extension
describe.skipIf(!hasPartman)('months that pg_partman creates, by the recipe in the documents', async () => {
  const server = hasPartman ? await startDebianPostgres() : undefined
  const client = new pg.Client(server?.url)
  if (server) await client.connect()
  afterAll(async () => {
    await client.end()
    await server?.stop()
  })
  const [once, regularly] = await readRecipe()
  const partitions = async () =>
    (
      await client.query(
        `SELECT partition::text AS name, is_protected, lower::text, upper::text FROM audit_logs_internal.partitions('audit_logs')`,
      )
    ).rows

  it('follow those of the log for a year, each is protected, and none is a default', async () => {
    await client.query(migration)
    await client.query(`SELECT audit_logs_internal.partition_log('audit_logs', 1)`)
    await client.query('CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman')
    await client.query(once)
    await client.query(regularly)
    const found = await partitions()
    expect(found).toHaveLength(14)
    expect(found.filter(({ name }) => /^audit_logs_p\d{4}_\d\d$/.test(name))).toHaveLength(11 + 1)
    expect(found.map(({ is_protected }) => is_protected)).not.toContain(false)
    for (const [index, { lower }] of found.entries()) {
      if (index > 0) expect(lower).toBe(found[index - 1]?.upper)
    }
    expect(found.map(({ upper }) => upper)).not.toContain('infinity')
  })

  it('take entries, numbered on, and refuse that somebody removes them', async () => {
    const { rows } =
      await client.query(`INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type)
      SELECT gen_random_uuid(), now() + n * interval '1 month', 'a.b', 'x', 'user', 'a' FROM generate_series(0, 8, 4) AS n
      RETURNING seq::int, tableoid::regclass::text AS partition`)
    expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3])
    const { partition } = rows[2]
    expect(partition).toMatch(/^audit_logs_p/)
    for (const attack of [
      `DELETE FROM ${partition}`,
      `TRUNCATE ${partition}`,
      `UPDATE ${partition} SET action = 'x'`,
    ]) {
      await expect(client.query(attack)).rejects.toMatchObject({ code: 'ZA001' })
    }
  })

  it('are left as they are by a second run, and by maintain', async () => {
    const before = await partitions()
    await client.query(regularly)
    await client.query(`SELECT audit_logs_internal.create_partitions('audit_logs', 12)`)
    expect(await partitions()).toEqual(before)
  })
})
