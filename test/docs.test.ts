import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createDatabase } from './support/database.ts'

const docs = readdirSync('docs')
  .filter((file) => file.endsWith('.md'))
  .map((file) => join('docs', file))
const directory = resolve('test/generated/docs')

/** The fenced blocks of a language in a document, but for those that are generated from what is compiled already. */
function blocksOf(file: string, language: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/<!-- ([\w-]+) -->.*?<!-- \/\1 -->/gs, '')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block]) => block ?? '',
  )
}

/** What the snippets import: an application's own modules, and packages that only the documents need. */
const surroundings: Record<string, string> = {
  'prisma.ts': `import { openDatabase } from '../../../examples/express/database.ts'
    export const prisma = openDatabase('postgresql://localhost/shop')`,
  'audit.config.ts': `export { default } from './options-2.ts'`,
  'authenticate.ts': `import type { RequestHandler } from 'express'
    export declare const authenticate: RequestHandler
    export declare const requireManager: RequestHandler
    export declare function currentUser(): Promise<{ id: number; email: string } | undefined>`,
  'app.module.ts': 'export class AppModule {}',
  'generated/client/client.ts': `export { PrismaClient } from '../../../../../examples/express/generated/client/client.ts'`,
  'packages.d.ts': `
    declare module 'next/headers' {
      export function headers(): Promise<Headers>
    }
    declare module 'bullmq' {
      interface Job<Data> { id?: string; data: Data }
      export class Queue<Data> {
        constructor(name: string)
        add(name: string, data: Data): Promise<unknown>
      }
      export class Worker<Data> {
        constructor(name: string, work: (job: Job<Data>) => Promise<void>)
      }
    }`,
}

describe('the documents', () => {
  it('have TypeScript that compiles', { timeout: 120_000 }, () => {
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(join(directory, 'generated', 'client'), { recursive: true })
    for (const [name, text] of Object.entries(surroundings)) writeFileSync(join(directory, name), text)
    const files = ['README.md', ...docs].flatMap((file) =>
      blocksOf(file, 'ts').map((block, index) => {
        const path = join(directory, `${basename(file, '.md')}-${index + 1}.ts`)
        writeFileSync(path, `${block}export {}\n`)
        return path
      }),
    )
    expect(files.length).toBeGreaterThan(docs.length)
    const users = '../../../examples/express/session.ts' // declares the user of a request
    // the project excludes this directory, and what it excludes is inherited
    const quickStart = '../../../examples/quick-start' // an application of its own, as README.md has the reader make it
    const project = { extends: '../../../tsconfig.json', include: ['.', users, quickStart], exclude: [] }
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(project))
    const compiler = createRequire(import.meta.url)
      .resolve('typescript/package.json')
      .replace('package.json', 'bin/tsc')
    const compile = (...options: string[]) =>
      spawnSync(process.execPath, [compiler, '--project', directory, ...options], { encoding: 'utf8' }).stdout
    expect(compile('--listFilesOnly').split('\n')).toEqual(
      expect.arrayContaining([...files, resolve('examples/quick-start/quick-start.ts')]),
    )
    expect(compile()).toBe('')
  })

  it('have SQL that empties the log of a test database, and leaves it protected', async () => {
    const db = await createDatabase()
    const [script = ''] = blocksOf('docs/testing.md', 'sql')
    await db.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
      VALUES (gen_random_uuid(), 'a.b', 'ada', 'user', 'a')`)
    await db.sql(script)
    expect(await db.entries()).toEqual([])
    await expect(db.sql('TRUNCATE audit_logs')).rejects.toMatchObject({ code: 'ZA001' })
    await expect(db.sql('SET session_replication_role = replica; TRUNCATE audit_logs')).rejects.toMatchObject(
      { code: 'ZA001' },
    )
  })

  it('have SQL by which triggers record a table, any writer says who acts, and a bulk load is left out', async () => {
    const db = await createDatabase()
    await db.sql(`CREATE TABLE "Order" (id int PRIMARY KEY, status text);
      DROP TABLE users CASCADE;
      CREATE TABLE users (id int PRIMARY KEY, full_name text);
      INSERT INTO "Order" VALUES (42, 'OPEN')`)
    const [watch = '', , write = ''] = blocksOf('docs/triggers.md', 'sql')
    const bulkLoad = blocksOf('docs/backups.md', 'sql').at(-1) ?? ''
    const since = await db.lastSeq()
    await db.sql(watch)
    await db.sql(write)
    await db.sql(`INSERT INTO users VALUES (1, 'Ada')`)
    await db.sql(bulkLoad.replace('COPY "Order" FROM STDIN', `INSERT INTO "Order" SELECT 43, 'OLD'`))
    const entries = await db.sql<{
      action: string
      actor_id: string
      reason: string
      details: { after: object }
    }>('SELECT * FROM audit_logs WHERE seq > $1 ORDER BY seq', [since])
    expect(entries.map((entry) => [entry.action, entry.actor_id, entry.reason])).toEqual([
      ['auditLog.watch', 'postgres:postgres', null],
      ['auditLog.watch', 'postgres:postgres', null],
      ['order.update', 'ada', 'ticket 4711'],
      ['user.create', 'postgres:postgres', null],
      ['auditLog.unwatch', 'ada', 'import of 2019'],
      ['auditLog.watch', 'ada', 'import of 2019'],
    ])
    expect(entries[3]?.details.after).toEqual({ id: 1, fullName: '[redacted]' })
  })

  it('have SQL that protects the log again after pg_restore --disable-triggers, and sets its sequence', async () => {
    const db = await createDatabase()
    const [protect = '', sequence = ''] = blocksOf('docs/backups.md', 'sql')
    const states = async () => {
      const rows = await db.sql<{ state: string }>(`SELECT DISTINCT tgenabled::text AS state FROM pg_trigger
        WHERE tgrelid = 'audit_logs'::regclass AND NOT tgisinternal`)
      return rows.map(({ state }) => state)
    }
    await db.sql('ALTER TABLE audit_logs DISABLE TRIGGER ALL; ALTER TABLE audit_logs ENABLE TRIGGER ALL')
    expect(await states()).toEqual(['O'])
    await db.sql(protect)
    expect(await states()).toEqual(['A'])
    await db.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, seq) OVERRIDING SYSTEM VALUE
      VALUES (gen_random_uuid(), 'a.b', 'ada', 'user', 'a', 1000)`)
    await db.sql(sequence)
    expect(await db.sql(`SELECT nextval(pg_get_serial_sequence('audit_logs', 'seq'))::int`)).toEqual([
      { nextval: 1001 },
    ])
  })

  it('have SQL that builds the index of a migration ahead of it', async () => {
    const db = await createDatabase()
    const index = async () =>
      (await db.sql(`SELECT pg_get_indexdef('audit_logs_commit_order_idx'::regclass) AS index`))[0]
    const shipped = await index()
    const [concurrently = ''] = blocksOf('docs/upgrading.md', 'sql')
    await db.sql('DROP INDEX audit_logs_commit_order_idx')
    await db.sql(concurrently)
    expect(await index()).toEqual(shipped)
  })

  it('have SQL that brings an old table over', async () => {
    const db = await createDatabase()
    await db.sql(`CREATE TABLE old_audit (at timestamptz, verb text, user_id int, order_id int, data jsonb);
      INSERT INTO old_audit VALUES ('2020-01-02', 'UPDATE', 7, 42, '{"status": "PAID"}')`)
    const [, script = ''] = blocksOf('docs/upgrading.md', 'sql')
    await db.sql(script)
    expect(await db.entries()).toMatchObject([
      {
        action: 'order.update',
        actor_id: '7',
        resource_id: '42',
        details: { imported: true, after: { status: 'PAID' } },
      },
    ])
  })
})
