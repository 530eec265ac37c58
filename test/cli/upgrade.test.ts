import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fillLog } from '../../scripts/fill-log.ts'
import { applyMigrations, driftScript } from '../../scripts/schema-engine.ts'
import { planInit } from '../../src/cli/init.ts'
import { writeFiles } from '../../src/cli/planned-files.ts'
import { createDatabase } from '../support/database.ts'
import { folders, migrations } from '../support/migration.ts'
import { createProject, datasource } from './project.ts'

it('a log of version 0.1 gets what is missing, and keeps every entry as it is', async () => {
  const [first = '', ...further] = migrations
  const firstFolder = '20251201000000_audit_log'
  const model = (await readFile('prisma/schema.prisma', 'utf8')).match(/^\/\/\/.*\nmodel AuditLog .*/ms)?.[0]
  const project = await createProject({
    'schema.prisma': `${datasource()}\n${model}`,
    [`migrations/${firstFolder}/migration.sql`]: first,
    'migrations/migration_lock.toml': 'provider = "postgresql"\n',
  })
  const database = await createDatabase({ template: 'template0' })
  const path = join(project.directory, 'migrations')
  expect(await applyMigrations(database.url, path)).toEqual([firstFolder])
  await fillLog(database.pool, 1000)
  const everything = () =>
    database.sql(`SELECT ctid, xmin, to_jsonb(l) AS entry FROM audit_logs AS l ORDER BY seq`)
  const definition = () =>
    database.sql(`SELECT a.attname, a.atttypid, a.attnotnull, pg_get_expr(d.adbin, d.adrelid) AS "default", c.relfilenode
      FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
      WHERE c.oid = 'audit_logs'::regclass ORDER BY a.attnum`)
  const before = [await everything(), await definition()]

  const { writes } = await planInit({ directory: project.directory })
  expect(writes.map(({ path: file, text }) => [file.replace(/^.*\d{14}_/, ''), text])).toEqual(
    ['functions', 'readers', 'seals', 'partitions', 'erasure'].map((name, index) => [
      `audit_log_${name}/migration.sql`,
      further[index],
    ]),
  )
  await writeFiles(writes)
  expect((await planInit({ directory: project.directory })).writes).toEqual([])

  expect(await applyMigrations(database.url, path)).toHaveLength(folders.length - 1)
  expect([await everything(), await definition()]).toEqual(before)
  const schema = await project.read('schema.prisma')
  expect((await driftScript(database.url, schema)).trim()).toBe('-- This is an empty migration.')
})
