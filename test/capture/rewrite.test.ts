import { beforeEach, describe, expect, it } from 'vitest'
import type { PrismaClient } from '../generated/client/client.ts'
import { createDatabase } from '../support/database.ts'
import { emptyTables } from '../support/empty-tables.ts'
import { brief, type Recorded, recorded } from '../support/recorded.ts'
import { createPlanning, describePlanned, sentFor } from './audited-statements.ts'
import { createLogged } from './statement-log.ts'

// What becomes of each kind of statement. The files in `statements` show it, on PostgreSQL 14 (as up to 17) and on 18. Each
// test here also runs the one for its server, and says what then stands in the log.

const db = await createDatabase()
const { prisma, log } = createLogged({ connectionString: db.url })
const plan = await createPlanning(db, [14, 18])
const running = (await db.serverVersion()) >= 18 ? 18 : 14

beforeEach(() => emptyTables(db))

interface Shape {
  /** The file's name. */
  readonly name: string
  readonly setUp?: string
  readonly run: (prisma: PrismaClient) => PromiseLike<unknown>
  /** In full, or in a line each. */
  readonly entries: readonly Recorded[] | readonly string[]
}

const switzerland = { code: 'CH', name: 'Switzerland', population: '9' }
const country = `INSERT INTO "Country" VALUES ('CH', 'Switzerland', 9)`
const warehouse = `INSERT INTO "Warehouse" VALUES ('ZH', 'Zürich');
  INSERT INTO "Shelf" VALUES ('ZH', 1, 'top')`
const post = `INSERT INTO "Post" (id, title) VALUES ('p1', 'one'); INSERT INTO "Tag" (name) VALUES ('a')`
const linked = `${post}; INSERT INTO "_PostToTag" VALUES ('p1', 1)`

const shapes: Shape[] = [
  {
    name: 'create',
    run: (prisma) => prisma.country.create({ data: { code: 'CH', name: 'Switzerland', population: 9 } }),
    entries: [{ action: 'country.create', id: 'CH', operation: 'create', after: switzerland }],
  },
  {
    name: 'create-many',
    run: (prisma) =>
      prisma.country.createMany({ data: [{ code: 'CH', name: 'Switzerland', population: 9 }] }),
    entries: [{ action: 'country.create', id: 'CH', operation: 'createMany', after: switzerland }],
  },
  {
    name: 'update',
    setUp: country,
    run: (prisma) => prisma.country.update({ where: { code: 'CH' }, data: { name: 'Suisse' } }),
    entries: [
      {
        action: 'country.update',
        id: 'CH',
        operation: 'update',
        before: switzerland,
        after: { ...switzerland, name: 'Suisse' },
        changed: ['name'],
      },
    ],
  },
  {
    name: 'update-many',
    setUp: country,
    run: (prisma) => prisma.country.updateMany({ data: { population: { increment: 1 } } }),
    entries: [
      {
        action: 'country.update',
        id: 'CH',
        operation: 'updateMany',
        before: switzerland,
        after: { ...switzerland, population: '10' },
        changed: ['population'],
      },
    ],
  },
  {
    name: 'update-with-trigger',
    setUp: 'INSERT INTO "Stamped" VALUES (1, 0, NULL)',
    run: (prisma) => prisma.stamped.update({ where: { id: 1 }, data: { counter: { increment: 1 } } }),
    entries: [
      {
        action: 'stamped.update',
        id: '1',
        operation: 'update',
        before: { id: 1, counter: 0, stampedAt: null },
        after: { id: 1, counter: 1, stampedAt: expect.any(String) },
        changed: ['counter', 'stampedAt'],
      },
    ],
  },
  {
    name: 'update-without-key',
    setUp: `INSERT INTO "Reading" VALUES ('s1', 1)`,
    run: (prisma) => prisma.reading.update({ where: { sensor: 's1' }, data: { value: 2 } }),
    entries: [
      {
        action: 'reading.update',
        id: null,
        operation: 'update',
        before: { sensor: 's1', value: 1 },
        after: { sensor: 's1', value: 2 },
        changed: ['value'],
      },
    ],
  },
  {
    name: 'upsert',
    setUp: country,
    run: (prisma) =>
      prisma.country.upsert({
        where: { code: 'CH' },
        create: { code: 'CH', name: 'Svizzera' },
        update: { name: 'Svizzera' },
      }),
    entries: [
      {
        action: 'country.update',
        id: 'CH',
        operation: 'upsert',
        before: switzerland,
        after: { ...switzerland, name: 'Svizzera' },
        changed: ['name'],
      },
    ],
  },
  {
    name: 'upsert-with-cascade',
    setUp: `${post}; INSERT INTO "Comment" (text, "postId") VALUES ('first', 'p1')`,
    run: (prisma) =>
      prisma.post.upsert({ where: { id: 'p1' }, create: { id: 'p1', title: '1' }, update: { id: 'p2' } }),
    entries: ['post.update p1 [id]', 'comment.update 1 [postId] because post.update'],
  },
  {
    name: 'delete',
    setUp: country,
    run: (prisma) => prisma.country.delete({ where: { code: 'CH' } }),
    entries: [{ action: 'country.delete', id: 'CH', operation: 'delete', before: switzerland }],
  },
  {
    name: 'delete-many',
    setUp: country,
    run: (prisma) => prisma.country.deleteMany(),
    entries: [{ action: 'country.delete', id: 'CH', operation: 'deleteMany', before: switzerland }],
  },
  {
    name: 'delete-with-cascade',
    setUp: warehouse,
    run: (prisma) => prisma.warehouse.delete({ where: { code: 'ZH' } }),
    entries: [
      {
        action: 'warehouse.delete',
        id: 'ZH',
        operation: 'delete',
        before: { code: 'ZH', city: 'Zürich' },
      },
      {
        action: 'shelf.delete',
        id: '["ZH","1"]',
        operation: 'delete',
        cause: 'warehouse.delete',
        before: { warehouseCode: 'ZH', number: 1, label: 'top' },
      },
    ],
  },
  {
    name: 'delete-with-set-null',
    setUp: `INSERT INTO "Org" VALUES (1, 'o'); INSERT INTO "Team" VALUES (1, 1), (2, 1);
      INSERT INTO "Task" (title, "teamId", "leadId") VALUES ('goes', 1, 1), ('stays', 2, 1)`,
    run: (prisma) => prisma.team.delete({ where: { id: 1 } }),
    entries: [
      'team.delete 1',
      'task.delete 1 because team.delete',
      'task.update 2 [leadId] because team.delete',
    ],
  },
  {
    name: 'delete-with-set-null-and-trigger',
    setUp: 'INSERT INTO "Stamped" VALUES (1, 0, NULL); INSERT INTO "Meter" ("stampedId") VALUES (1)',
    run: (prisma) => prisma.stamped.delete({ where: { id: 1 } }),
    entries: [
      {
        action: 'stamped.delete',
        id: '1',
        operation: 'delete',
        before: { id: 1, counter: 0, stampedAt: null },
      },
      {
        action: 'meter.update',
        id: '1',
        operation: 'delete',
        cause: 'stamped.delete',
        before: { id: 1, revision: 0, stampedId: 1 },
        after: { id: 1, revision: 1, stampedId: null },
        changed: ['revision', 'stampedId'],
      },
    ],
  },
  {
    name: 'update-of-key-with-cascade',
    setUp: `${warehouse}; INSERT INTO "Box" ("warehouseCode", "shelfNumber", content) VALUES ('ZH', 1, 'nails')`,
    run: (prisma) => prisma.warehouse.update({ where: { code: 'ZH' }, data: { code: 'BE' } }),
    entries: [
      'warehouse.update ZH [code]',
      'shelf.update ["ZH","1"] [warehouseCode] because warehouse.update',
      'box.update 1 [warehouseCode] because warehouse.update',
    ],
  },
  {
    name: 'connect',
    setUp: post,
    run: (prisma) => prisma.post.update({ where: { id: 'p1' }, data: { tags: { connect: { id: 1 } } } }),
    entries: ['post.connect p1 tags → tag 1', 'tag.connect 1 posts → post p1'],
  },
  {
    name: 'disconnect',
    setUp: linked,
    run: (prisma) => prisma.post.update({ where: { id: 'p1' }, data: { tags: { disconnect: { id: 1 } } } }),
    entries: ['post.disconnect p1 tags → tag 1', 'tag.disconnect 1 posts → post p1'],
  },
  {
    name: 'uncapturable',
    setUp: country,
    run: (prisma) => prisma.$executeRaw`TRUNCATE "Country"`,
    entries: [
      {
        action: 'raw.execute',
        id: null,
        operation: '$executeRaw',
        reason: 'truncate',
        statement: 'TRUNCATE "Country"',
      },
    ],
  },
]

describe('the audited statement', () => {
  it.each(shapes)('$name', async ({ name, setUp = '', run, entries }) => {
    await db.sql(setUp)
    const sent: string[] = []
    for (const { version, planned } of await plan(run)) {
      await expect(describePlanned(run, planned)).toMatchFileSnapshot(`statements/${version}/${name}.sql`)
      if (version === running) sent.push(...sentFor(planned))
    }

    const since = await db.lastSeq()
    const all = await log.during(() => run(prisma))
    // a lock may be repeated
    const once = [...new Set(all.map(({ sql }) => sql))]
    expect(once.filter((sql) => sent.includes(sql))).toEqual(sent)

    const written = (await db.changes(since)).map(recorded)
    const isBrief = entries.some((entry) => typeof entry === 'string')
    expect(isBrief ? brief(written) : written).toEqual(entries)
  })
})
