import { describe, expect, it } from 'vitest'
import { brief, createWatched } from './watched.ts'

const { db, connect, watch, unwatch, recordedOf, recordedBy } = await createWatched(`
  CREATE TABLE owner (id int PRIMARY KEY);
  CREATE TABLE sale (id int, region text, amount int, owner int REFERENCES owner ON DELETE CASCADE, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
  CREATE TABLE sale_north PARTITION OF sale FOR VALUES IN ('north');
  CREATE TABLE sale_south (amount int, owner int, id int NOT NULL, region text NOT NULL); -- columns in another order
  ALTER TABLE sale ATTACH PARTITION sale_south FOR VALUES IN ('south');
  CREATE TABLE sale_rest PARTITION OF sale DEFAULT PARTITION BY RANGE (id);
  CREATE TABLE sale_rest_low PARTITION OF sale_rest FOR VALUES FROM (0) TO (100);
  INSERT INTO owner VALUES (1), (2), (3);
`)
await watch('sale', 'sale')
await watch('owner', 'owner')

const sale = (id: number, region: string, amount: number, owner: number | null = null) => ({
  id,
  region,
  amount,
  owner,
})

describe('a partitioned table', () => {
  it('records writes to it, whichever partition has the row', async () => {
    expect(
      await recordedOf(`
        INSERT INTO sale VALUES (1, 'north', 10), (2, 'south', 20), (3, 'west', 30);
        UPDATE sale SET amount = amount + 1;
        DELETE FROM sale WHERE id = 2`),
    ).toEqual([
      { action: 'sale.create', id: '["1","north"]', after: sale(1, 'north', 10) },
      { action: 'sale.create', id: '["2","south"]', after: sale(2, 'south', 20) },
      { action: 'sale.create', id: '["3","west"]', after: sale(3, 'west', 30) },
      ...[sale(1, 'north', 10), sale(2, 'south', 20), sale(3, 'west', 30)].map((before) => ({
        action: 'sale.update',
        id: `["${before.id}","${before.region}"]`,
        before,
        after: { ...before, amount: before.amount + 1 },
        changed: ['amount'],
      })),
      { action: 'sale.delete', id: '["2","south"]', before: sale(2, 'south', 21) },
    ])
  })

  it('records writes that name a partition', async () => {
    expect(
      await recordedOf(`
        INSERT INTO sale_south (id, region, amount) VALUES (4, 'south', 40);
        UPDATE sale_rest SET amount = 0; DELETE FROM sale_rest_low; COPY sale_north FROM PROGRAM 'printf "5\\tnorth\\t50\\t\\\\\\\\N\\n"'`),
    ).toEqual([
      { action: 'sale.create', id: '["4","south"]', after: sale(4, 'south', 40) },
      {
        action: 'sale.update',
        id: '["3","west"]',
        before: sale(3, 'west', 31),
        after: sale(3, 'west', 0),
        changed: ['amount'],
      },
      { action: 'sale.delete', id: '["3","west"]', before: sale(3, 'west', 0) },
      { action: 'sale.create', id: '["5","north"]', after: sale(5, 'north', 50) },
    ])
  })

  it('records a row that moves to another partition as deleted and created', async () => {
    expect(await recordedOf(`UPDATE sale SET region = 'east' WHERE id = 4`)).toEqual([
      { action: 'sale.delete', id: '["4","south"]', before: sale(4, 'south', 40) },
      { action: 'sale.create', id: '["4","east"]', after: sale(4, 'east', 40) },
    ])
  })

  it('records what referential actions do in its partitions', async () => {
    await db.sql(`UPDATE sale SET owner = 1`)
    expect(brief(await recordedOf('DELETE FROM owner WHERE id = 1')).sort()).toEqual([
      'owner.delete 1',
      'sale.delete ["1","north"] because owner.delete',
      'sale.delete ["4","east"] because owner.delete',
      'sale.delete ["5","north"] because owner.delete',
    ])
  })

  it('records partitions that come later', async () => {
    await db.sql(`
      CREATE TABLE sale_new PARTITION OF sale FOR VALUES IN ('new');
      CREATE TABLE sale_old (owner int, region text NOT NULL, id int NOT NULL, amount int);
      ALTER TABLE sale ATTACH PARTITION sale_old FOR VALUES IN ('old')`)
    const replica = await connect()
    await replica.query('SET session_replication_role = replica') // their triggers fire ALWAYS, too
    const entries = await recordedBy(() =>
      replica.query(
        `INSERT INTO sale VALUES (6, 'new', 1); INSERT INTO sale_old (id, region, amount) VALUES (7, 'old', 2)`,
      ),
    )
    expect(entries).toEqual([
      { action: 'sale.create', id: '["6","new"]', after: sale(6, 'new', 1) },
      { action: 'sale.create', id: '["7","old"]', after: sale(7, 'old', 2) },
    ])
  })

  it('goes on in all of them when a column is added, dropped or renamed', async () => {
    await db.sql(
      `ALTER TABLE sale ADD COLUMN token text; ALTER TABLE sale RENAME COLUMN amount TO total; ALTER TABLE sale RENAME TO deal`,
    )
    expect(
      await recordedOf(
        `INSERT INTO deal (id, region, total, token) VALUES (8, 'south', 1, 't'); UPDATE sale_south SET total = 2; DELETE FROM sale_new`,
      ),
    ).toEqual([
      {
        action: 'sale.create',
        id: '["8","south"]',
        after: { id: 8, region: 'south', total: 1, owner: null, token: '[redacted]' },
      },
      {
        action: 'sale.update',
        id: '["8","south"]',
        before: { id: 8, region: 'south', total: 1, owner: null, token: '[redacted]' },
        after: { id: 8, region: 'south', total: 2, owner: null, token: '[redacted]' },
        changed: ['total'],
      },
      {
        action: 'sale.delete',
        id: '["6","new"]',
        before: { id: 6, region: 'new', total: 1, owner: null, token: null },
      },
    ])
    await db.sql(
      'ALTER TABLE deal RENAME TO sale; ALTER TABLE sale DROP COLUMN token; ALTER TABLE sale RENAME COLUMN total TO amount',
    )
    expect(await watch('sale', 'sale')).toBe(true)
    expect(await watch('sale', 'sale')).toBe(false)
  })

  it('records TRUNCATE of the table and of a partition once, with its rows', async () => {
    await db.sql(`INSERT INTO sale VALUES (1, 'north', 1), (2, 'north', 1), (3, 'west', 1)`)
    const truncated = { action: 'sale.truncate', id: null }
    expect(await recordedOf('TRUNCATE sale_north')).toEqual([
      { ...truncated, rows: 2, partition: 'public.sale_north' },
    ])
    expect(await recordedOf('TRUNCATE sale_rest')).toEqual([
      { ...truncated, rows: 1, partition: 'public.sale_rest' },
    ])
    expect(await recordedOf('TRUNCATE sale')).toEqual([{ ...truncated, rows: 2 }])
    await db.sql(`INSERT INTO sale VALUES (1, 'north', 1)`)
    const entries = await recordedOf(
      `DO $$ BEGIN TRUNCATE sale; INSERT INTO sale VALUES (2, 'north', 1); TRUNCATE sale_north; END $$`,
    )
    expect(entries.filter(({ action }) => action === 'sale.truncate')).toEqual([
      { ...truncated, rows: 1 },
      { ...truncated, rows: 1, partition: 'public.sale_north' },
    ])
  })

  it('is watched as a whole', async () => {
    await expect(watch('sale_north', 'sale')).rejects.toMatchObject({
      code: 'ZA004',
      message: 'public.sale_north cannot be watched: it is a partition',
      hint: 'Watch the partitioned table.',
    })
  })

  it('notices a partition whose triggers are off, or that has none for TRUNCATE', async () => {
    await db.sql('ALTER TABLE sale_north DISABLE TRIGGER ALL')
    expect([await watch('sale', 'sale'), await watch('sale', 'sale')]).toEqual([true, false])
    expect(brief(await recordedOf(`INSERT INTO sale VALUES (1, 'north', 1)`))).toEqual([
      'sale.create ["1","north"]',
    ])
    await db.sql(`CREATE TABLE sale_late PARTITION OF sale FOR VALUES IN ('late')`)
    expect([await watch('sale', 'sale'), await watch('sale', 'sale')]).toEqual([true, false])
  })

  it('leaves a partition that was detached alone, once it is watched again', async () => {
    await db.sql('ALTER TABLE sale DETACH PARTITION sale_south')
    expect(await watch('sale', 'sale')).toBe(false)
    expect(brief(await recordedOf(`INSERT INTO sale_south (id, region) VALUES (9, 'south')`))).toEqual([])
    expect(await unwatch('sale')).toBe(true)
    expect(
      await db.sql(
        `SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname LIKE '%!audit%row%' AND tgrelid <> 'owner'::regclass`,
      ),
    ).toEqual([])
  })
})

describe('tables that inherit', () => {
  it('are recorded with their parent, with their own columns, each under its own name', async () => {
    await db.sql(`
      CREATE TABLE animal (id int PRIMARY KEY, name text);
      CREATE TABLE dog (bark text, PRIMARY KEY (id)) INHERITS (animal);
      CREATE TABLE puppy (weeks int) INHERITS (dog)`)
    await watch('animal', 'animal')
    expect(
      await recordedOf(`
        INSERT INTO animal VALUES (1, 'a'); INSERT INTO dog VALUES (2, 'd', 'woof'); INSERT INTO puppy VALUES (3, 'p', 'wiff', 7);
        UPDATE animal SET name = upper(name); DELETE FROM ONLY animal; DELETE FROM dog WHERE id = 3`),
    ).toEqual([
      { action: 'animal.create', id: '1', after: { id: 1, name: 'a' } },
      { action: 'animal.create', id: '2', after: { id: 2, name: 'd', bark: 'woof' } },
      { action: 'animal.create', id: null, after: { id: 3, name: 'p', bark: 'wiff', weeks: 7 } }, // a key is not inherited
      {
        action: 'animal.update',
        id: '1',
        before: { id: 1, name: 'a' },
        after: { id: 1, name: 'A' },
        changed: ['name'],
      },
      {
        action: 'animal.update',
        id: '2',
        before: { id: 2, name: 'd', bark: 'woof' },
        after: { id: 2, name: 'D', bark: 'woof' },
        changed: ['name'],
      },
      {
        action: 'animal.update',
        id: null,
        before: { id: 3, name: 'p', bark: 'wiff', weeks: 7 },
        after: { id: 3, name: 'P', bark: 'wiff', weeks: 7 },
        changed: ['name'],
      },
      { action: 'animal.delete', id: '1', before: { id: 1, name: 'A' } },
      { action: 'animal.delete', id: null, before: { id: 3, name: 'P', bark: 'wiff', weeks: 7 } },
    ])
    expect(await recordedOf('TRUNCATE animal')).toEqual([
      { action: 'animal.truncate', id: null, rows: 0 },
      { action: 'animal.truncate', id: null, rows: 1 },
      { action: 'animal.truncate', id: null, rows: 0 },
    ])
    expect([await watch('animal', 'animal'), await unwatch('animal'), await unwatch('animal')]).toEqual([
      false,
      true,
      false,
    ])
    expect(await recordedOf(`INSERT INTO puppy VALUES (3, 'p', 'wiff', 7)`)).toEqual([])
  })
})
