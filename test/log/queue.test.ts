import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { startEmbedded } from '../../scripts/postgres.ts'
import { applyMigrations } from '../../scripts/schema-engine.ts'
import { newId } from '../../src/id.ts'
import { AuditError, type EventRecorder, withAudit } from '../../src/index.ts'
import type { NewEntry } from '../../src/log/insert.ts'
import { EntryQueue, type QueueLimits } from '../../src/log/queue.ts'
import type { SqlClient } from '../../src/postgres/sql-client.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { bundledScript } from '../support/bundled-script.ts'
import { createClient, createDatabase } from '../support/database.ts'

const db = await createDatabase()
const client = createClient(db.url)
const database: SqlClient = {
  query: async <Row>(sql: string, ...values: readonly unknown[]) =>
    (await client.$queryRawUnsafe(sql, ...values)) as Row[],
}

function entry(resourceId: string, changes: Partial<NewEntry> = {}): NewEntry {
  return {
    id: newId(),
    action: 'queue.test',
    resourceType: 'queue',
    resourceId,
    outcome: 'success',
    reason: null,
    details: null,
    context: { actor: { id: 'ada', type: 'user' } },
    ...changes,
  }
}

const entries = (count: number) => Array.from({ length: count }, (_, n) => entry(String(n)))

/** A queue on a connection of the test's own, and what it did. */
function createQueue({
  connection = database,
  limits,
  onError,
}: {
  connection?: SqlClient
  limits?: Partial<QueueLimits>
  onError?: (error: AuditError) => void
} = {}) {
  const sizes: number[] = []
  const counting: SqlClient = {
    query: (sql, ...values) => {
      sizes.push(JSON.parse(String(values[0])).length)
      return connection.query(sql, ...values)
    },
  }
  const quick = { firstPause: 1, longestPause: 10, ...limits }
  return { queue: new EntryQueue({ name: 'audit_logs' }, counting, onError, quick), sizes }
}

/** A connection that answers when it is told to. */
function heldConnection() {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const written: string[] = []
  const connection: SqlClient = {
    query: async (_sql, text) => {
      await released
      written.push(...JSON.parse(String(text)).map((row: { resource_id: string }) => row.resource_id))
      return []
    },
  }
  return { connection, release, written }
}

async function ids(since: bigint): Promise<(string | null)[]> {
  return (await db.entries(since)).map((row) => row.resource_id)
}

describe('the queue', () => {
  it('writes entries in the order in which they were added, in few statements', async () => {
    const since = await db.lastSeq()
    const { queue, sizes } = createQueue()
    for (const one of entries(2_500)) await queue.add(one)
    await queue.add(entry('a'), entry('b'))
    await queue.flush()
    expect(await ids(since)).toEqual([...Array.from({ length: 2_500 }, (_, n) => String(n)), 'a', 'b'])
    expect(sizes).toEqual([1_000, 1_000, 502])
  })

  it('keeps statements small where entries are large', async () => {
    const since = await db.lastSeq()
    const { queue, sizes } = createQueue({ limits: { batchCharacters: 25_000 } })
    const details = { text: 'x'.repeat(10_000) }
    await queue.add(...['1', '2', '3'].map((id) => entry(id, { details })))
    await queue.add(entry('4', { details: { text: 'x'.repeat(50_000) } }))
    await queue.flush()
    expect(await ids(since)).toEqual(['1', '2', '3', '4'])
    expect(sizes).toEqual([2, 1, 1])
  })

  it('takes what entries are when they are added', async () => {
    const since = await db.lastSeq()
    const { queue } = createQueue()
    const details: Record<string, unknown> = { n: 1 }
    await queue.add(entry('1', { details }))
    details.n = 2
    await queue.flush()
    expect((await db.entries(since))[0]?.details).toEqual({ n: 1 })
  })

  it('has nothing to wait for while it is empty', async () => {
    const { queue, sizes } = createQueue()
    await queue.flush()
    expect(sizes).toEqual([])
  })
})

describe('a full queue', () => {
  it('lets callers wait, and takes them in their order', async () => {
    const { connection, release, written } = heldConnection()
    const { queue } = createQueue({ connection, limits: { entries: 10 } })
    const taken: number[] = []
    const adding = entries(30).map((one, n) => queue.add(one).then(() => taken.push(n)))
    await delay(50)
    expect(taken).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    release()
    await Promise.all(adding)
    await queue.flush()
    expect(taken).toEqual(Array.from({ length: 30 }, (_, n) => n))
    expect(written).toEqual(Array.from({ length: 30 }, (_, n) => String(n)))
  })

  it('is full by size too, and takes an entry that is larger than itself', async () => {
    const { connection, release, written } = heldConnection()
    const { queue } = createQueue({ connection, limits: { characters: 2_000 } })
    const details = { text: 'x'.repeat(1_000) }
    const taken: string[] = []
    const adding = [
      ...['1', '2'].map((id) => entry(id, { details })),
      entry('3', { details: { text: 'x'.repeat(10_000) } }),
    ].map((one) => queue.add(one).then(() => taken.push(String(one.resourceId))))
    await delay(50)
    expect(taken).toEqual(['1'])
    release()
    await Promise.all(adding)
    await queue.flush()
    expect(written).toEqual(['1', '2', '3'])
  })

  it('is flushed with those who wait for room', async () => {
    const { connection, release, written } = heldConnection()
    const { queue } = createQueue({ connection, limits: { entries: 1 } })
    const adding = Promise.all(entries(5).map((one) => queue.add(one)))
    const flushed = queue.flush()
    release()
    await flushed
    expect(written).toHaveLength(5)
    await adding
  })
})

describe('a state that passes', () => {
  it('is waited for', async () => {
    const since = await db.lastSeq()
    let failures = 5
    const connection: SqlClient = {
      query: (sql, ...values) => {
        if (failures-- > 0) throw new Error('connection refused')
        return database.query(sql, ...values)
      },
    }
    const { queue, sizes } = createQueue({ connection })
    await queue.add(...entries(3))
    await queue.flush()
    expect(await ids(since)).toEqual(['0', '1', '2'])
    expect(sizes).toEqual([3, 3, 3, 3, 3, 3])
  })

  it('writes nothing twice when only the answer was lost', async () => {
    const since = await db.lastSeq()
    let answersLost = 2
    const connection: SqlClient = {
      query: async (sql, ...values) => {
        const rows = await database.query(sql, ...values)
        if (answersLost-- > 0) throw new Error('Connection terminated unexpectedly')
        return rows as never
      },
    }
    const { queue, sizes } = createQueue({ connection })
    await queue.add(...entries(3))
    await queue.flush()
    expect(await ids(since)).toEqual(['0', '1', '2'])
    expect(sizes).toEqual([3, 3, 3])
  })

  it.each(['40001', '53300', '57P03', '58030', '08006', '55P03'])('is SQLSTATE %s', async (state) => {
    let tries = 0
    const { queue } = createQueue({
      connection: {
        query: async () => {
          tries += 1
          if (tries === 1) await raise(state)
          return []
        },
      },
    })
    await queue.add(entry('1'))
    await queue.flush()
    expect(tries).toBe(2)
  })

  it('is a server that gives no answer', async () => {
    let tries = 0
    const { queue } = createQueue({
      connection: { query: () => (++tries === 1 ? new Promise(() => {}) : Promise.resolve([])) },
      limits: { answer: 20 },
    })
    await queue.add(entry('1'))
    await queue.flush()
    expect(tries).toBe(2)
  })

  it('that stays ends the entries: flush ends too, and the next ones get their own time', async () => {
    const errors: AuditError[] = []
    let isAway = true
    const connection: SqlClient = {
      query: async () => {
        if (isAway) throw new Error('connection refused')
        return []
      },
    }
    const limits = { entries: 4, batchEntries: 2, retry: 200 }
    const { queue, sizes } = createQueue({ connection, limits, onError: (error) => errors.push(error) })
    const start = performance.now()
    const adding = Promise.all(entries(6).map((one) => queue.add(one)))
    await queue.flush()
    const took = performance.now() - start
    await adding
    expect(errors.map(({ code, entry }) => [code, entry?.resource.id])).toEqual(
      ['0', '1', '2', '3', '4', '5'].map((id) => ['AUDIT_NOT_WRITTEN', id]),
    )
    expect(errors[0]?.message).toContain('the database did not answer')
    expect(sizes.length).toBeGreaterThan(10)
    expect(took).toBeGreaterThan(200)
    expect(took).toBeLessThan(2_000)
    isAway = false
    await queue.add(entry('7'))
    await queue.flush()
    expect(errors).toHaveLength(6)
  })
})

describe('a flush with a time limit', () => {
  it.each([
    ['refuses connections', () => Promise.reject(new Error('connection refused'))],
    ['does not answer', () => new Promise<never>(() => {})],
  ])('ends when the database %s, and its entries go to onError', async (_, query) => {
    const errors: AuditError[] = []
    const { queue } = createQueue({ connection: { query }, onError: (error) => errors.push(error) })
    await queue.add(...entries(2))
    const start = performance.now()
    await queue.flush(300)
    expect(performance.now() - start).toBeLessThan(3_000)
    expect(errors.map(({ code, entry }) => [code, entry?.resource.id])).toEqual([
      ['AUDIT_NOT_WRITTEN', '0'],
      ['AUDIT_NOT_WRITTEN', '1'],
    ])
  })

  it('leaves entries that come later their own time', async () => {
    let isAway = true
    const { queue } = createQueue({
      connection: { query: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve([])) },
      onError: () => {},
    })
    await queue.add(entry('1'))
    await queue.flush(50)
    isAway = false
    await queue.add(entry('2'))
    await queue.flush(5_000)
  })

  it.each(['25006', '42501'])('is not needed for SQLSTATE %s, which waiting does not mend', async (state) => {
    const errors: AuditError[] = []
    const { queue, sizes } = createQueue({
      connection: { query: () => raise(state) as Promise<never> },
      onError: (error) => errors.push(error),
    })
    await queue.add(...entries(3))
    await queue.flush()
    expect(sizes).toEqual([3])
    expect(errors).toHaveLength(3)
  })
})

/** Has the server raise an SQLSTATE. */
async function raise(state: string): Promise<void> {
  await client.$executeRawUnsafe(`DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '${state}'; END $$`)
}

describe('an entry that the database refuses', () => {
  it('goes to onError alone, and all others are written', async () => {
    const since = await db.lastSeq()
    const errors: AuditError[] = []
    const { queue } = createQueue({ onError: (error) => errors.push(error) })
    const all = entries(1_000)
    const context = { actor: { id: 'ada', type: 'robot' as 'user' }, ip: '::1', requestId: 'r' }
    all[17] = entry('17', { reason: 'a\0b', details: { n: 17 } })
    all[900] = entry('900', { context })
    await queue.add(...all)
    await queue.flush()
    const expected = Array.from({ length: 1_000 }, (_, n) => String(n)).filter(
      (id) => !['17', '900'].includes(id),
    )
    expect(await ids(since)).toEqual(expected)
    expect(errors.map((error) => error.entry)).toEqual([
      {
        id: all[17].id,
        action: 'queue.test',
        actor: { id: 'ada', type: 'user' },
        resource: { type: 'queue', id: '17' },
        outcome: 'success',
        reason: 'a\0b',
        details: { n: 17 },
        requestId: null,
        ip: null,
        userAgent: null,
        organizationId: null,
      },
      expect.objectContaining({ id: all[900].id, ip: '::1', requestId: 'r' }),
    ])
    expect(errors.map(({ code }) => code)).toEqual(['AUDIT_NOT_WRITTEN', 'AUDIT_NOT_WRITTEN'])
    expect(errors.map(({ message }) => /SQLSTATE (\w+)/.exec(message)?.[1])).toEqual(['22P05', '23514'])
    expect(errors[0]?.cause).toMatchObject({ code: 'P2010' })
  })

  it('is not looked for in halves when every entry would be refused', async () => {
    const errors: AuditError[] = []
    const queries: string[] = []
    const missing: SqlClient = {
      query: (sql, ...values) => {
        queries.push(sql)
        return database.query(sql.replace('"audit_logs_write"', '"no_such_function"'), ...values)
      },
    }
    const { queue } = createQueue({ connection: missing, onError: (error) => errors.push(error) })
    await queue.add(...entries(100))
    await queue.flush()
    expect(errors).toHaveLength(100)
    expect(errors[99]?.message).toContain('42883')
    expect(queries).toHaveLength(1)
  })

  it('is named by flush where there is no onError, once', async () => {
    const { queue } = createQueue()
    await queue.add(...entries(3), entry('bad', { reason: '\0' }), entry('worse', { reason: '\0' }))
    const error: unknown = await queue.flush().catch((thrown: unknown) => thrown)
    if (!(error instanceof AuditError)) throw new Error('flush did not reject')
    expect(error.code).toBe('AUDIT_NOT_WRITTEN')
    expect(error.message).toContain('2 queued entries could not be written')
    const { errors } = error.cause as AggregateError
    expect(errors.map((one: AuditError) => one.entry?.resource.id)).toEqual(['bad', 'worse'])
    await queue.flush()
  })

  it('is named by flush when onError throws, which stops nothing', async () => {
    const since = await db.lastSeq()
    const thrown = new Error('the handler has a bug')
    const onError = vi.fn(() => {
      throw thrown
    })
    const { queue } = createQueue({ onError })
    await queue.add(entry('1'), entry('bad', { reason: '\0' }), entry('2'))
    const error = await queue.flush().catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      code: 'AUDIT_NOT_WRITTEN',
      cause: { errors: [{ entry: { resource: { id: 'bad' } } }, thrown] },
    })
    expect(onError).toHaveBeenCalledTimes(1)
    expect(await ids(since)).toEqual(['1', '2'])
  })
})

describe('a client', () => {
  const record = (audited: { $audit: EventRecorder }, id: string) =>
    audited.$audit.record({ action: 'queue.test', resource: { type: 'queue', id } }, { queue: true })

  it('writes what is queued by flush, and before it disconnects', async () => {
    const since = await db.lastSeq()
    const audited = withAudit(createClient(db.url))
    expect(await record(audited, '1')).toBeUndefined()
    await audited.$audit.flush()
    expect(await ids(since)).toEqual(['1'])
    await record(audited, '2')
    await audited.$disconnect()
    expect(await ids(since)).toEqual(['1', '2'])
  })

  it('does so also when it was extended before or afterwards', async () => {
    const since = await db.lastSeq()
    const before = createClient(db.url).$extends({ client: { hello: () => 'world' } })
    const after = withAudit(before).$extends({ client: { hello: () => 'again' } })
    await record(after, '1')
    await after.$disconnect()
    expect(await ids(since)).toEqual(['1'])
  })

  it('disconnects also when an entry could not be written, and says so', async () => {
    const plain = createClient(db.url)
    const audited = withAudit(plain, { table: 'no_such_table' })
    await record(audited, '1')
    await expect(audited.$disconnect()).rejects.toMatchObject({ code: 'AUDIT_NOT_WRITTEN' })
    await audited.$disconnect()
  })

  it.each(['flush', '$disconnect'] as const)(
    '%s ends within flushTimeout where the database is away, and onError has the entries',
    async (method) => {
      const errors: AuditError[] = []
      const away = withAudit(createClient('postgresql://nobody@127.0.0.1:9/nothing'), {
        flushTimeout: 300,
        onError: (error) => errors.push(error),
      })
      await record(away, '1')
      const start = performance.now()
      await (method === 'flush' ? away.$audit.flush() : away.$disconnect())
      expect(performance.now() - start).toBeLessThan(5_000)
      expect(errors).toMatchObject([{ code: 'AUDIT_NOT_WRITTEN', entry: { resource: { id: '1' } } }])
    },
  )

  it('tells onError', async () => {
    const errors: AuditError[] = []
    const audited = withAudit(createClient(db.url), {
      table: 'no_such_table',
      onError: (error) => errors.push(error),
    })
    await record(audited, '1')
    await audited.$audit.flush()
    expect(errors).toMatchObject([{ code: 'AUDIT_NOT_WRITTEN', entry: { resource: { id: '1' } } }])
  })

  it('refuses a wrong event before it is queued', async () => {
    const audited = withAudit(createClient(db.url))
    const event = { action: 'no verb' }
    await expect(audited.$audit.record(event, { queue: true })).rejects.toMatchObject({
      code: 'AUDIT_INVALID_EVENT',
    })
  })

  it('with one connection waits for an open transaction, and does not hold it up', async () => {
    const since = await db.lastSeq()
    const audited = withAudit(createClient(db.url, { max: 1 }))
    await audited.$transaction(async (tx) => {
      await tx.tag.create({ data: { name: 'before' } })
      await record(tx, 'queued in the transaction')
      await record(audited, 'queued beside it')
      await delay(300)
      await tx.tag.create({ data: { name: 'after' } })
    })
    await audited.$audit.flush()
    const written = (await db.entries(since)).map((row) => row.details?.after?.name ?? row.resource_id)
    expect(written).toEqual(['before', 'after', 'queued in the transaction', 'queued beside it'])
  })
})

// a process of its own takes long to start on a busy machine
describe('a process that ends by itself', { timeout: 120_000 }, async () => {
  const script = await bundledScript(new URL('queueing-process.ts', import.meta.url))
  const run = (...parameters: string[]) => promisify(execFile)(process.execPath, [script, ...parameters])

  it('writes what it queued', async () => {
    const since = await db.lastSeq()
    expect(await run(db.url, '2500')).toEqual({ stdout: '', stderr: '' })
    expect(await ids(since)).toEqual(Array.from({ length: 2_500 }, (_, n) => String(n)))
  })

  it('fails when entries could not be written and nobody was told', async () => {
    const failure = await run(db.url, '2', 'no_such_table').catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: expect.any(Number),
      stderr: expect.stringContaining('AUDIT_NOT_WRITTEN'),
    })
    expect((failure as { stderr: string }).stderr).toContain('2 queued entries could not be written')
  })
})

describe('a database that is away for ten seconds', () => {
  it('has all 10,000 events afterwards, each once', { timeout: 120_000 }, async () => {
    const server = await startEmbedded()
    afterAll(() => server.stop())
    await applyMigrations(server.url, 'prisma/migrations')
    const errors: AuditError[] = []
    const adapter = new PrismaPg({ connectionString: server.url })
    const audited = withAudit(new PrismaClient({ adapter }), { onError: (error) => errors.push(error) })

    const count = 10_000
    const outage = async () => {
      await server.pause()
      await delay(10_000)
      await server.resume()
    }
    let away: Promise<void> | undefined
    for (let n = 0; n < count; n++) {
      if (n === count / 2) away = outage()
      await audited.$audit.record(
        { action: 'outage.test', resource: { type: 'outage', id: n }, details: { text: 'x'.repeat(500) } },
        { queue: true },
      )
      if (n % 100 === 0) await delay(1) // so that batches are written before, while and after
    }
    await away
    await audited.$audit.flush()
    await audited.$disconnect()

    const reader = new pg.Client(server.url)
    await reader.connect()
    const { rows } = await reader.query(`
      SELECT count(*)::int AS entries, count(DISTINCT resource_id)::int AS events, min(resource_id::int) AS first,
        max(resource_id::int) AS last, bool_and(seq_order = event_order) AS "inOrder",
        max(pause) > interval '10 s' AS "wasAway"
      FROM (SELECT *, row_number() OVER (ORDER BY seq) AS seq_order,
        row_number() OVER (ORDER BY resource_id::int) AS event_order,
        "timestamp" - lag("timestamp") OVER (ORDER BY seq) AS pause FROM audit_logs) AS numbered`)
    await reader.end()
    expect(rows).toEqual([
      { entries: count, events: count, first: 0, last: count - 1, inOrder: true, wasAway: true },
    ])
    expect(errors).toEqual([])
  })
})
