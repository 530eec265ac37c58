import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { exactEntry } from '../../src/log/exact-entry.ts'
import { columnOfLine, rowLine, splitLines } from '../../src/log/ndjson.ts'
import { readCommitted } from '../../src/reader/committed-entries.ts'
import {
  decodeReaderCursor,
  encodeReaderCursor,
  lastSeq,
  type ReaderCursor,
  startOf,
} from '../../src/reader/cursor.ts'
import { readPosition } from '../../src/reader/eras.ts'
import { readBatch } from '../../src/reader/read-batch.ts'
import type { ExactRow } from '../../src/sink.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { logOf, untilOthersEnd, write } from './readers.ts'

const database = await createDatabase()
const log = logOf(database)
const defaults = { entries: 1_000, bytes: 1_000_000 }

let start: ReaderCursor
beforeEach(async () => {
  await untilOthersEnd(database)
  const { horizon, eras } = await readPosition(log)
  start = { era: eras.length, transactionId: horizon - 1n, seq: lastSeq }
})

async function readAll(after = start, limits = defaults): Promise<ExactRow[]> {
  await untilOthersEnd(database)
  const rows: ExactRow[] = []
  for await (const batch of readCommitted(log, after, limits)) rows.push(...batch.rows)
  return rows
}

const actions = async (...args: Parameters<typeof readAll>) =>
  (await readAll(...args)).map(({ action }) => action)

async function inTransactions<T>(work: (a: pg.PoolClient, b: pg.PoolClient) => Promise<T>): Promise<T> {
  const [a, b] = [await database.pool.connect(), await database.pool.connect()]
  try {
    return await work(a, b)
  } finally {
    for (const client of [a, b]) {
      await client.query('ROLLBACK')
      client.release()
    }
  }
}

describe('the order', () => {
  it('waits for a transaction that wrote early and commits late, and then has it before what began later', async () => {
    await inTransactions(async (early, late) => {
      await early.query('BEGIN')
      await write(early, 'early.first')
      await late.query('BEGIN')
      await write(late, 'late.only')
      await late.query('COMMIT')
      expect(await actions()).toEqual([])
      await write(early, 'early.second')
      await early.query('COMMIT')
      expect(await actions()).toEqual(['early.first', 'early.second', 'late.only'])
    })
  })

  it('does not wait for a transaction that began later, nor for one that has written nothing', async () => {
    await inTransactions(async (reading, writing) => {
      await reading.query('BEGIN; SELECT 1')
      await write(database.pool, 'done.before')
      await writing.query('BEGIN')
      await write(writing, 'open.later')
      expect(await actions()).toEqual(['done.before'])
    })
  })

  it('has what savepoints kept, and not what they or a rollback took back', async () => {
    await inTransactions(async (client) => {
      await client.query('BEGIN')
      await write(client, 'kept.outside')
      await client.query('SAVEPOINT a')
      await write(client, 'kept.inside')
      await client.query('SAVEPOINT b')
      await write(client, 'taken.back')
      await client.query('ROLLBACK TO SAVEPOINT b; COMMIT; BEGIN')
      await write(client, 'rolled.back')
      await client.query('ROLLBACK')
      expect(await actions()).toEqual(['kept.outside', 'kept.inside'])
    })
  })
})

describe('a batch', () => {
  it('ends after so many entries, and the next begins behind it', async () => {
    for (const n of [1, 2, 3, 4, 5]) await write(database.pool, `entry.${n}`)
    await untilOthersEnd(database)
    const batches: string[][] = []
    let last = start
    for await (const { rows, from, until } of readCommitted(log, start, { ...defaults, entries: 2 })) {
      expect(from).toEqual(last)
      expect(until).toMatchObject({ seq: BigInt(rows.at(-1)?.seq ?? 0) })
      batches.push(rows.map(({ action }) => action))
      last = until
    }
    expect(batches).toEqual([['entry.1', 'entry.2'], ['entry.3', 'entry.4'], ['entry.5']])
    expect(await actions(last)).toEqual([])
  })

  it('ends after so many bytes, and has one entry at least', async () => {
    for (const n of [1, 2, 3]) await write(database.pool, `large.${n}`, { text: 'x'.repeat(1_000) })
    await untilOthersEnd(database)
    const sizes: number[] = []
    for await (const { rows } of readCommitted(log, start, { ...defaults, bytes: 1_500 })) {
      sizes.push(rows.length)
    }
    expect(sizes).toEqual([2, 1])
    expect(await actions(start, { ...defaults, bytes: 1 })).toEqual(['large.1', 'large.2', 'large.3'])
  })

  it('has as many bytes, however much larger or smaller entries become', async () => {
    await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, details)
      SELECT gen_random_uuid(), 'entry.' || n, 'ada', 'user', 'test', to_jsonb(repeat('x', CASE WHEN n % 400 < 200 THEN 1 ELSE 5000 END))
      FROM generate_series(1, 1200) AS n`)
    await untilOthersEnd(database)
    const limits = { entries: 1_000, bytes: 300_000 }
    const read: string[] = []
    for await (const batch of readCommitted(log, start, limits)) {
      const lines = splitLines(batch.text)
      const size = Buffer.byteLength(batch.text)
      read.push(...batch.rows.map(({ action }) => action))
      if (read.length < 1200) expect(size).toBeGreaterThanOrEqual(limits.bytes)
      expect(size - Buffer.byteLength(`${lines.at(-1)}\n`)).toBeLessThan(limits.bytes)
      expect([batch.entries, batch.highestSeq]).toEqual([lines.length, BigInt(batch.rows.at(-1)?.seq ?? 0)])
    }
    expect(read).toEqual(Array.from({ length: 1200 }, (_, n) => `entry.${n + 1}`))
  })

  it('is found by the index, in its order, without a sort', async () => {
    await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
      SELECT gen_random_uuid(), 'bulk.entry', 'ada', 'user', 'bulk' FROM generate_series(1, 20000)`)
    await database.sql('ANALYZE audit_logs')
    let explained = ''
    const explaining = logOf(database)
    const { position } = { position: await readPosition(log) }
    const spy = {
      ...explaining,
      connection: {
        query: async <Row>(sql: string, ...values: readonly unknown[]) => {
          if (sql.startsWith('SELECT string_agg')) {
            const plan = await database.sql<Record<string, string>>(`EXPLAIN (COSTS OFF) ${sql}`, [...values])
            explained = plan.map((row) => row['QUERY PLAN']).join('\n')
          }
          return explaining.connection.query<Row>(sql, ...values)
        },
      },
    }
    await readBatch(spy, position, startOf(1), { entries: 100, bytes: 1_000_000 })
    expect(explained).toContain('Index Scan using audit_logs_commit_order_idx')
    expect(explained).not.toMatch(/Sort/)
  })
})

describe('a row', () => {
  it('has every column exactly, as text', async () => {
    const details = { n: '12345678901234567890.10', nested: { b: 1, a: [null, 'ä'] } }
    await database.sql(
      `INSERT INTO audit_logs (id, timestamp, action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome,
         reason, details, request_id, ip, user_agent, organization_id)
       VALUES ('01890000-0000-7000-8000-000000000001', '2026-01-02 03:04:05.123456+00', 'a.b', 'ada', 'api_key', 'a@b.c', 'a', '1',
         'failure', 'why', $1, 'r', '2001:db8::1', 'curl', 'acme')`,
      [details],
    )
    const [row] = await readAll()
    const [stored] = await database.sql<Record<string, string>>(
      `SELECT details::text, seq::text, transaction_id::text FROM audit_logs WHERE id = '01890000-0000-7000-8000-000000000001'`,
    )
    expect(row).toEqual({
      ...{ id: '01890000-0000-7000-8000-000000000001', timestamp: '2026-01-02T03:04:05.123456Z' },
      ...{ action: 'a.b', actor_id: 'ada', actor_type: 'api_key', actor_email: 'a@b.c' },
      ...{ resource_type: 'a', resource_id: '1', outcome: 'failure', reason: 'why', request_id: 'r' },
      ...{ ip: '2001:db8::1', user_agent: 'curl', organization_id: 'acme' },
      ...stored,
    })
  })

  it('has the line that a row is written as, whatever is in it', async () => {
    const strange = '\n\t\r\b\f"\\\u0001\u001f\u007f\u2028 ,"seq":"1" ä😀'
    await database.sql(
      `INSERT INTO audit_logs (id, timestamp, action, actor_id, actor_type, resource_type, reason, details, user_agent, ip)
       VALUES (gen_random_uuid(), '-infinity', 'a.b', $1, 'user', 'a', $2, $3, '', '10.0.0.0/8')`,
      [strange, strange, { text: strange }],
    )
    await write(database.pool, 'plain.entry')
    await untilOthersEnd(database)
    const batch = await readBatch(log, await readPosition(log), start, defaults)
    expect(batch?.text).toBe(batch?.rows.map(rowLine).join(''))
    expect(batch?.rows).toMatchObject([{ reason: strange, ip: '10.0.0.0/8' }, { action: 'plain.entry' }])
    expect(batch?.rows.map(({ seq }) => seq)).toEqual(
      splitLines(batch?.text ?? '').map((line) => columnOfLine(line, 'seq')),
    )
  })

  it('becomes the entry that helpers return', async () => {
    const prisma = withAudit(createClient(database.url))
    const tag = await prisma.tag.create({ data: { name: 'exact' } })
    await prisma.tag.update({ where: { id: tag.id }, data: { name: 'exactly' } })
    const { entries } = await prisma.$audit.history('Tag', tag.id)
    expect((await readAll()).map(exactEntry)).toEqual(entries.toReversed())
  })
})

describe('a cursor', () => {
  it('is its era, transaction and seq, and nothing else', () => {
    const cursor = { era: 2, transactionId: 4_711n, seq: 9_223_372_036_854_775_807n }
    expect(encodeReaderCursor(cursor)).toBe('2.4711.9223372036854775807')
    expect(decodeReaderCursor('2.4711.9223372036854775807')).toEqual(cursor)
    expect(decodeReaderCursor('1.0.0')).toEqual(startOf(1))
  })

  it.each([
    ...[
      '',
      '1',
      '1.2',
      '1.2.3.4',
      '0.1.1',
      '01.1.1',
      '1.+1.1',
      '1.-1.1',
      '1.1.1 ',
      ' 1.1.1',
      '1.1.1\n',
      'a.b.c',
    ],
    ...['1.1.9223372036854775808', '2147483648.1.1', '1.1.1e3', '1.٣.1', '1.10000000000000000000.1'],
  ])('refuses %j', (text) => {
    expect(() => decodeReaderCursor(text)).toThrow(expect.objectContaining({ code: 'AUDIT_INVALID_CURSOR' }))
  })

  it('that the log has not reached is refused, not waited for', async () => {
    await expect(
      actions({ ...start, transactionId: start.transactionId + 1_000_000n }),
    ).rejects.toMatchObject({
      code: 'AUDIT_CURSOR_AHEAD',
    })
    await expect(actions({ ...start, era: start.era + 1 })).rejects.toMatchObject({
      code: 'AUDIT_CURSOR_AHEAD',
    })
  })
})
