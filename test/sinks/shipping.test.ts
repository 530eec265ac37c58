import { createHmac } from 'node:crypto'
import { readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AuditError, type Sink, startShipping, withAudit } from '../../src/index.ts'
import { files } from '../../src/sinks/files.ts'
import { webhook } from '../../src/sinks/webhook.ts'
import { until, untilReadable, write } from '../reader/readers.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { rowsInFiles, startReceiver, temporaryDirectory } from './places.ts'

const database = await createDatabase()
const client = createClient(database.url)
const prisma = withAudit(client)
const secret = 'x'.repeat(16)

/** Keeps batches in memory. */
function memory(options: Partial<Sink> = {}) {
  const batches: Parameters<Sink['write']>[0][] = []
  const sink: Sink = {
    name: unique('sink'),
    write: async (batch) => {
      batches.push(batch)
      return { last: String(batch.number) }
    },
    ...options,
  }
  return {
    sink,
    batches,
    actions: () => batches.flatMap(({ entries }) => entries.map(({ action }) => action)),
  }
}

async function ship(sink: Sink) {
  const errors: AuditError[] = []
  const shipping = await startShipping(prisma, {
    ...{ sinks: [sink], pollInterval: 20, onError: (error: AuditError) => errors.push(error) },
  })
  onTestFinished(() => shipping.stop())
  return { shipping, errors }
}

describe('a batch', () => {
  it('says which it is, where it lies in the log, and what was kept with the one before', async () => {
    await write(database.pool, 'shipped.1', { n: '1.10' })
    const { sink, batches } = memory()
    await ship(sink)
    await until(() => batches.length === 1, 'the first batch should have come')
    await write(database.pool, 'shipped.2')
    await until(() => batches.length === 2, 'the second batch should have come')
    const [first, second] = batches
    const [era] = await database.sql<{ id: string }>('SELECT id FROM audit_logs_internal.eras')
    expect(first).toMatchObject({
      ...{ number: 1n, from: '1.0.0', log: 'public.audit_logs', state: null },
      era: { number: 1, id: era?.id, beganAt: expect.stringMatching(/^20.*Z$/) },
    })
    expect(second).toMatchObject({ number: 2n, from: first?.until, state: { last: '1' } })
    const entry = second?.entries[0]
    expect(second?.until).toBe(`1.${entry?.transaction_id}.${entry?.seq}`)
  })

  it('holds as much as the sink says, and waits as long', async () => {
    const { sink, batches, actions } = memory({ limits: { entries: 3, age: 1_000 } })
    const [{ count } = { count: 0 }] = await database.sql<{ count: number }>(
      'SELECT count(*)::int FROM audit_logs',
    )
    await ship(sink)
    await until(() => actions().length === count, 'what was there should have come')
    const start = performance.now()
    // in one transaction, so that they can be read at the same time
    await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
      SELECT gen_random_uuid(), 'waiting.' || n, 'ada', 'user', 'test' FROM generate_series(1, 4) AS n`)
    await until(() => actions().length === count + 4, 'all entries should have come')
    expect(performance.now() - start).toBeGreaterThan(900)
    expect(batches.slice(-2).map(({ entries }) => entries.length)).toEqual([3, 1])
  })
})

describe('shipping', () => {
  it('goes to the sinks of the options, and ends with the client', async () => {
    let isClosed = false
    const { sink, batches } = memory({
      close: async () => {
        isClosed = true
      },
    })
    const audited = withAudit(createClient(database.url), { sinks: [sink] })
    await write(database.pool, 'by.options')
    const shipping = await startShipping(audited, { pollInterval: 20 })
    await until(() => batches.length > 0, 'a batch should have come')
    await audited.$disconnect()
    await shipping.stopped
    expect(isClosed).toBe(true)
  })

  it('goes on where it was, in the name of the sink', async () => {
    const { sink, actions } = memory()
    const first = await ship(sink)
    await until(async () => (await first.shipping.metrics())[0]?.lag.entries === 0, 'it should be up to date')
    await first.shipping.stop()
    const before = actions().length
    await write(database.pool, 'while.away')
    await ship(sink)
    await until(() => actions().length > before, 'the entry should have come')
    expect(actions().slice(before)).toEqual(['while.away'])
  })

  it('opens a sink before the first batch, and again after that failed', async () => {
    await write(database.pool, 'opened.for')
    let opened = 0
    const open = async () => {
      if (++opened === 1) throw new Error('not yet')
    }
    const { sink, batches } = memory({ open })
    const { errors } = await ship(sink)
    await until(() => batches.length > 0, 'a batch should have come')
    expect([opened, errors.map(({ code }) => code)]).toEqual([2, ['AUDIT_SINK_AWAY']])
  })

  it.each<[string, object, unknown, string]>([
    ['a client that is not audited', client, { sinks: [memory().sink] }, 'not audited'],
    ['no sink', prisma, {}, 'there is no sink'],
    ['what is no sink', prisma, { sinks: [{ name: 'x' }] }, 'must be a sink'],
    [
      'two of one name',
      prisma,
      { sinks: [memory({ name: 'x' }).sink, memory({ name: 'x' }).sink] },
      'the same name',
    ],
    ['an unknown option', prisma, { sinks: [memory().sink], filter: {} }, 'filter'],
  ])('is refused: %s', async (_, to, options, reason) => {
    await expect(startShipping(to, options as object)).rejects.toMatchObject({
      code: 'AUDIT_INVALID_OPTIONS',
      message: expect.stringContaining(reason),
    })
  })
})

describe('files', () => {
  it('begin anew when they are large, in names that sort, for their owner alone', async () => {
    for (let n = 0; n < 5; n++) await write(database.pool, `file.${n}`)
    const directory = join(await temporaryDirectory(), 'made')
    await ship(files({ name: unique('sink'), directory, maxBytes: 500, limits: { entries: 2 } }))
    const [{ count } = { count: 0 }] = await database.sql<{ count: number }>(
      'SELECT count(*)::int FROM audit_logs',
    )
    await until(
      async () => (await rowsInFiles(directory).catch(() => [])).length === count,
      'all entries should have come',
    )
    const names = (await readdir(directory)).sort()
    expect(names.length).toBeGreaterThan(1)
    expect(names[0]).toMatch(/^audit-000000000001-\d{8}T\d{6}Z\.ndjson$/)
    const { mode } = await stat(join(directory, names[0] ?? ''))
    expect(mode & 0o777).toBe(0o600)
  })

  it('that were cut are refused, and what is not ours is left as it is', async () => {
    const directory = await temporaryDirectory()
    const name = unique('sink')
    await write(database.pool, 'first.one')
    await untilReadable(database) // what cannot be read yet is no lag
    const { shipping, errors } = await ship(files({ name, directory }))
    await until(async () => (await shipping.metrics())[0]?.lag.entries === 0, 'it should be up to date')
    const [file = ''] = await readdir(directory)
    const { size } = await stat(join(directory, file))
    await truncate(join(directory, file), size - 1)
    await write(database.pool, 'second.one')
    await until(() => errors.length > 0, 'it should be refused')
    expect(errors[0]).toMatchObject({
      code: 'AUDIT_SINK_REFUSED',
      message: expect.stringContaining(`has ${size - 1} bytes, and ${size} were written to it`),
    })
    await shipping.stop()
    // now it has more than was written
    await writeFile(join(directory, file), '\n{"from": "elsewhere"}\n', { flag: 'a' })
    const again = await ship(files({ name, directory }))
    await until(async () => (await again.shipping.metrics())[0]?.lag.entries === 0, 'it should go on')
    const names = (await readdir(directory)).sort()
    expect(names).toEqual([file, expect.stringMatching(/^audit-000000000002-/)])
  })
})

describe('a webhook', () => {
  it('is signed, and has the key of its batch', async () => {
    await write(database.pool, 'signed.entry')
    const { url, requests } = await startReceiver()
    await ship(webhook({ name: unique('sink'), url, secret, headers: { authorization: 'Bearer x' } }))
    await until(() => requests.length > 0, 'a request should have come')
    const [{ headers, body } = { headers: {}, body: '' }] = requests
    const [, time, signature] = /^t=(\d+),v1=(.*)$/.exec(String(headers['audit-signature'])) ?? []
    const key = String(headers['idempotency-key'])
    expect(signature).toBe(createHmac('sha256', secret).update(`${time}.${key}.${body}`).digest('hex'))
    expect(key).toMatch(/^1-[0-9a-f]{32}$/)
    expect(headers).toMatchObject({
      ...{ 'content-type': 'application/x-ndjson', authorization: 'Bearer x' },
      ...{ 'audit-log': 'public.audit_logs', 'audit-era': '1', 'audit-batch': '1' },
    })
  })

  it('that is never answered is away, and its URL is named without secrets', async () => {
    await write(database.pool, 'unanswered.entry')
    const { url } = await startReceiver(() => sleep(5_000, { status: 200, stores: false }, { ref: false }))
    const secretUrl = `${url}?token=hidden`
    const { errors } = await ship(webhook({ name: unique('sink'), url: secretUrl, secret, timeout: 100 }))
    await until(() => errors.length > 0, 'it should have failed')
    expect(errors[0]?.code).toBe('AUDIT_SINK_AWAY')
    expect(errors[0]?.message).toContain(`no answer from ${url} (`)
  })

  it('with a short secret is refused', () => {
    expect(() => webhook({ url: 'https://example.com', secret: 'short' })).toThrow(
      expect.objectContaining({ code: 'AUDIT_INVALID_OPTIONS' }),
    )
  })
})
