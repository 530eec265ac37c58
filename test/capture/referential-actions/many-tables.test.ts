import { beforeEach, describe, expect, it } from 'vitest'
import { createDatabase } from '../../support/database.ts'
import { otherTransaction, untilWaiting } from '../../support/locks.ts'
import { installOracle } from '../../support/oracle.ts'
import { watchedTables } from '../../support/watch.ts'
import { recorder } from '../audited.ts'
import { createLogged, kinds } from '../statement-log.ts'

// a root with twenty tables below it, and one more below each of those
const numbers = Array.from({ length: 20 }, (_, number) => number)
const child = 'ON DELETE CASCADE ON UPDATE CASCADE'
const db = await createDatabase()
await db.sql(`
  CREATE TABLE root (id int PRIMARY KEY, name text);
  ${numbers
    .map(
      (n) => `CREATE TABLE child_${n} (id int PRIMARY KEY, root int REFERENCES root ${child});
              CREATE TABLE leaf_${n} (id int PRIMARY KEY, child int REFERENCES child_${n} ${child});`,
    )
    .join('\n')}
  CREATE TABLE pair (a int REFERENCES root ON DELETE SET NULL, b int, PRIMARY KEY (b), UNIQUE (a, b));
  CREATE TABLE pair_note (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES pair (a, b) ON UPDATE CASCADE)`)
await installOracle(db)
const { prisma, log } = createLogged({ connectionString: db.url })
const recordedBy = recorder(db)

beforeEach(() =>
  db.sql(`TRUNCATE root, pair CASCADE; INSERT INTO root SELECT g, 'r' FROM generate_series(1, 100) AS g`),
)

const deleteRoot = (id: number) => prisma.$executeRaw`DELETE FROM root WHERE id = ${id}`

/** The actions of the entries of a statement, which the oracle agrees with, in alphabetical order. */
async function actionsOf(work: () => PromiseLike<unknown>): Promise<string[]> {
  const entries = await recordedBy(work)
  return entries.map(({ action, id }) => `${action} ${id}`).sort()
}

describe('where a statement can reach many tables', () => {
  it('a row with nothing below it is one entry', async () => {
    expect(await actionsOf(() => deleteRoot(1))).toEqual(['root.delete 1'])
    expect(await actionsOf(() => deleteRoot(1))).toEqual([])
    const returning = () => prisma.$queryRaw`DELETE FROM root WHERE id = ${2} RETURNING name`
    expect(await actionsOf(returning)).toEqual(['root.delete 2'])
  })

  it('rows are found at every level, and on every way', async () => {
    await db.sql(`INSERT INTO child_3 VALUES (1, 1), (2, 2); INSERT INTO child_7 VALUES (1, 1), (2, 2);
      INSERT INTO leaf_7 VALUES (1, 1), (2, 2); INSERT INTO pair VALUES (1, 5); INSERT INTO pair_note VALUES (9, 1, 5)`)
    expect(await actionsOf(() => deleteRoot(1))).toEqual([
      'child_3.delete 1',
      'child_7.delete 1',
      'leaf_7.delete 1',
      'pair.update 5',
      'pair_note.update 9',
      'root.delete 1',
    ])
  })

  it('a key that changes is followed', async () => {
    await db.sql(`INSERT INTO child_3 VALUES (1, 1), (2, 2)`)
    expect(await actionsOf(() => prisma.$executeRaw`UPDATE root SET id = 500 WHERE id = ${1}`)).toEqual([
      'child_3.update 1',
      'root.update 1',
    ])
    expect(await actionsOf(() => prisma.$executeRaw`UPDATE root SET id = 501 WHERE id = ${3}`)).toEqual([
      'root.update 3',
    ])
  })

  it.each([
    ['a child', `INSERT INTO child_4 VALUES (1, 1)`, 'child_4.delete 1'],
    ['a row two levels below', `INSERT INTO leaf_5 VALUES (1, 1)`, 'leaf_5.delete 1'],
  ])('%s that another transaction adds meanwhile goes too, and is recorded', async (_, sql, entry) => {
    await db.sql(`INSERT INTO child_5 VALUES (1, 1)`)
    const entries = await db.changesOf(() =>
      otherTransaction(db, async (other) => {
        await other.query(sql)
        const done = Promise.resolve(deleteRoot(1))
        await untilWaiting(db)
        await other.query('COMMIT')
        await done
      }),
    )
    const actions = entries
      .filter(({ details }) => details.operation)
      .map(({ action, resource_id }) => `${action} ${resource_id}`)
    expect(actions).toContain(entry)
    expect(actions.length).toBe(new Set(['root', 'child_5', entry.split('.')[0]]).size)
  })
})

describe.runIf(watchedTables === 'none')('where a statement can reach many tables without triggers', () => {
  const writes = async (work: () => PromiseLike<unknown>) => {
    const sent = await log.during(work)
    return sent.filter(({ sql }) => /^(?:WITH.*)?[\s\S]*(?:DELETE FROM|UPDATE) root/.test(sql))
  }

  it('it asks which of them have rows, and names no other', async () => {
    await db.sql(`INSERT INTO child_3 VALUES (1, 1)`)
    const alone = await log.during(() => deleteRoot(2))
    expect(kinds(alone)).toEqual(['BEGIN', 'lock', 'WITH', 'DELETE + entries', 'COMMIT'])
    expect(alone.at(-2)?.sql).not.toMatch(/child_|leaf_|pair/)
    const [audited] = await writes(() => deleteRoot(1))
    expect(audited?.sql).toContain('child_3')
    expect(audited?.sql).not.toMatch(/child_[^3]|leaf_|pair/)
  })

  it('its texts are few, whatever there is below each row', async () => {
    const texts = new Set<string>()
    let id = 0
    for (const first of numbers) {
      for (const second of [1, 2]) {
        id++
        await db.sql(`INSERT INTO child_${first} VALUES (${id}, ${id}) ON CONFLICT DO NOTHING;
          INSERT INTO child_${(first + second) % 20} VALUES (${1000 + id}, ${id})`)
        for (const { sql } of await log.during(() => deleteRoot(id))) texts.add(sql)
      }
    }
    expect(texts.size).toBeLessThan(100)
  })
})
