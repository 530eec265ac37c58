import { describe, expect, it } from 'vitest'
import { newId } from '../../src/id.ts'
import type { NewEntry } from '../../src/log/insert.ts'
import { rowTextOf, writeRows } from '../../src/log/insert.ts'
import { EntryQueue } from '../../src/log/queue.ts'
import type { SqlClient } from '../../src/postgres/sql-client.ts'
import { logOf } from '../reader/readers.ts'
import { createPartitioned } from './partitioned.ts'

const db = await createPartitioned()
const { connection } = logOf(db)
const quick = { firstPause: 1, longestPause: 5 }

function entry(resourceId: string, id = newId()): NewEntry {
  return {
    ...{ id, action: 'test.event', resourceType: 'test', resourceId, outcome: 'success', reason: null },
    details: null,
    context: { actor: { id: 'ada', type: 'user' } },
  }
}

async function written(since: bigint): Promise<(string | null)[]> {
  return (await db.entries(since)).map((row) => row.resource_id)
}

describe('an entry that is written a second time', () => {
  it('is there once, when only the answer was lost', async () => {
    const since = await db.lastSeq()
    let answersLost = 2
    const losing: SqlClient = {
      query: async (sql, ...values) => {
        const rows = await connection.query(sql, ...values)
        if (answersLost-- > 0) throw new Error('Connection terminated unexpectedly')
        return rows as never
      },
    }
    const queue = new EntryQueue({ name: 'audit_logs' }, losing, undefined, quick)
    await queue.add(...['0', '1', '2'].map((id) => entry(id)))
    await queue.flush()
    expect(await written(since)).toEqual(['0', '1', '2'])
  })

  it('is there once, when the first attempt is still under way', async () => {
    const since = await db.lastSeq()
    const rows = [rowTextOf(entry('a')), rowTextOf(entry('b'))]
    const first = await db.pool.connect()
    await first.query('BEGIN')
    await first.query(`SELECT id FROM audit_logs_write($1::jsonb)`, [`[${rows.join(',')}]`])
    const second = writeRows({ name: 'audit_logs' }, connection, rows)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await first.query('COMMIT')
    first.release()
    await second
    expect(await written(since)).toEqual(['a', 'b'])
  })

  it('is there once, also where sessions keep to one snapshot: the attempt is refused, and the next one finds it', async () => {
    const since = await db.lastSeq()
    const rows = [rowTextOf(entry('a'))]
    const [first, second] = [await db.pool.connect(), await db.pool.connect()]
    await first.query('BEGIN')
    await first.query(`SELECT id FROM audit_logs_write($1::jsonb)`, [`[${rows.join(',')}]`])
    await second.query(`SET default_transaction_isolation = 'repeatable read'`)
    const attempt = second.query(`SELECT id FROM audit_logs_write($1::jsonb)`, [`[${rows.join(',')}]`])
    const refused = expect(attempt).rejects.toMatchObject({ code: '40001' })
    await new Promise((resolve) => setTimeout(resolve, 100))
    await first.query('COMMIT')
    await refused
    const { rows: none } = await second.query(`SELECT id FROM audit_logs_write($1::jsonb)`, [
      `[${rows.join(',')}]`,
    ])
    expect(none).toEqual([])
    await second.query('RESET default_transaction_isolation')
    first.release()
    second.release()
    expect(await written(since)).toEqual(['a'])
  })

  it('is written, where the first attempt was rolled back', async () => {
    const since = await db.lastSeq()
    const rows = [rowTextOf(entry('a'))]
    const first = await db.pool.connect()
    await first.query('BEGIN')
    await first.query(`SELECT id FROM audit_logs_write($1::jsonb)`, [`[${rows.join(',')}]`])
    await first.query('ROLLBACK')
    first.release()
    await writeRows({ name: 'audit_logs' }, connection, rows)
    expect(await written(since)).toEqual(['a'])
  })

  it('is there once, where one statement names it twice, in the order of the others', async () => {
    const since = await db.lastSeq()
    const [a, b] = [entry('a'), entry('b')]
    await writeRows({ name: 'audit_logs' }, connection, [a, b, a].map(rowTextOf))
    expect(await written(since)).toEqual(['a', 'b'])
  })
})
