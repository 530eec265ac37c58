import { readFile } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import { citext } from '@electric-sql/pglite/contrib/citext'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { afterAll, describe, expect, it } from 'vitest'
import { createScript } from '../../scripts/schema-engine.ts'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createDatabase, type Entry } from '../support/database.ts'
import { actions } from '../support/entries.ts'
import { migration } from '../support/migration.ts'
import { watchTables } from '../support/watch.ts'

const db = await createDatabase()
const ada = { id: 'ada', type: 'user' } as const

describe.each(['none', 'all'] as const)('PGlite, with triggers on %s of the tables', async (watched) => {
  const lite = await PGlite.create({ extensions: { citext } })
  await lite.exec('CREATE EXTENSION citext')
  const schema = await readFile('test/prisma/schema.prisma', 'utf8')
  await lite.exec(await createScript(db.url, schema.replace(/model AuditLog \{[^}]*\}/, '')))
  await lite.exec(migration)
  await lite.exec(await readFile('test/prisma/triggers.sql', 'utf8'))
  const sql = async <Row>(text: string) => (await lite.query<Row>(text)).rows
  await watchTables({ sql }, schema, watched)
  const prisma = withAudit(new PrismaClient({ adapter: new PrismaPGlite(lite) }))
  afterAll(async () => {
    await prisma.$disconnect()
    await lite.close()
  })
  const changesOfLite = async (work: () => PromiseLike<unknown>): Promise<Entry[]> => {
    const { rows } = await lite.query<{ seq: string }>(
      'SELECT coalesce(max(seq), 0)::text AS seq FROM audit_logs',
    )
    await work()
    return (await lite.query<Entry>('SELECT * FROM audit_logs WHERE seq > $1 ORDER BY seq', [rows[0]?.seq]))
      .rows
  }

  it('records create, update, upsert and delete', async () => {
    const entries = await changesOfLite(() =>
      withAuditContext({ actor: ada, ip: '::1' }, async () => {
        await prisma.country.create({ data: { code: 'PG', name: 'p' } })
        await prisma.country.update({ where: { code: 'PG' }, data: { population: 2n } })
        await prisma.country.upsert({
          where: { code: 'PG' },
          create: { code: 'PG', name: 'p' },
          update: { name: 'q' },
        })
        await prisma.country.delete({ where: { code: 'PG' } })
      }),
    )
    expect(entries.map(({ action, actor_id, details }) => [action, actor_id, details])).toEqual([
      ['country.create', 'ada', { operation: 'create', after: { code: 'PG', name: 'p', population: '0' } }],
      [
        'country.update',
        'ada',
        {
          operation: 'update',
          before: { code: 'PG', name: 'p', population: '0' },
          after: { code: 'PG', name: 'p', population: '2' },
          changed: ['population'],
        },
      ],
      [
        'country.update',
        'ada',
        {
          operation: 'upsert',
          before: { code: 'PG', name: 'p', population: '2' },
          after: { code: 'PG', name: 'q', population: '2' },
          changed: ['name'],
        },
      ],
      ['country.delete', 'ada', { operation: 'delete', before: { code: 'PG', name: 'q', population: '2' } }],
    ])
  })

  it('records nested writes and cascades', async () => {
    const entries = await changesOfLite(async () => {
      const { id } = await prisma.user.create({
        data: {
          email: 'lite@x',
          profile: { create: { bio: 'b' } },
          posts: { create: { title: 't', tags: { create: { name: 'lite' } } } },
        },
      })
      await prisma.user.delete({ where: { id } })
    })
    expect(actions(entries).sort()).toEqual(
      [
        ...['user.create', 'profile.create', 'post.create', 'tag.create', 'post.connect', 'tag.connect'],
        ...['user.delete', 'profile.delete', 'post.update'],
      ].sort(),
    )
  })

  it('records transactions that commit, and nothing of others', async () => {
    const entries = await changesOfLite(async () => {
      await prisma.$transaction([
        prisma.tag.create({ data: { name: 'one' } }),
        prisma.tag.create({ data: { name: 'two' } }),
      ])
      await prisma.$transaction(async (tx) => {
        await tx.stamped.create({ data: { counter: 1 } })
        await tx.stamped.updateMany({ data: { counter: 2 } })
      })
      await expect(
        prisma.$transaction(async (tx) => {
          await tx.tag.create({ data: { name: 'three' } })
          throw new Error('undo')
        }),
      ).rejects.toThrow('undo')
    })
    expect(actions(entries)).toEqual(['tag.create', 'tag.create', 'stamped.create', 'stamped.update'])
  })

  it('records raw SQL, captured and not', async () => {
    const entries = await changesOfLite(async () => {
      expect(await prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${'raw'}), ('raw too')`).toBe(2)
      await prisma.$executeRaw`TRUNCATE "Reading"`
    })
    expect(actions(entries)).toEqual([
      ...['tag.create', 'tag.create'],
      watched === 'all' ? 'reading.truncate' : 'raw.execute',
    ])
  })

  it.runIf(watched === 'all')('records other writers, until a table is no longer watched', async () => {
    const entries = await changesOfLite(async () => {
      await lite.query(`INSERT INTO "Country" (code, name) VALUES ('LI', 'Lite')`)
      await lite.transaction(async (tx) => {
        await tx.query(`SELECT audit_logs_set_context('{"actor": {"id": "ada", "type": "user"}}')`)
        await tx.query(`DELETE FROM "Country" WHERE code = 'LI'`)
      })
      await lite.query(`SELECT audit_logs_unwatch('"Country"')`)
      await lite.query(`INSERT INTO "Country" (code, name) VALUES ('LI', 'Lite')`)
      await prisma.country.delete({ where: { code: 'LI' } })
    })
    expect(entries.map(({ action, actor_id }) => [action, actor_id])).toEqual([
      ['country.create', 'postgres:postgres'],
      ['country.delete', 'ada'],
      ['auditLog.unwatch', 'postgres:postgres'],
      ['country.delete', 'system'],
    ])
  })

  it('keeps its log append-only', async () => {
    await expect(lite.query('DELETE FROM audit_logs')).rejects.toMatchObject({ code: 'ZA001' })
  })
})
