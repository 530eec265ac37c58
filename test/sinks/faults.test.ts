import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type AuditError, type Sink, startShipping, withAudit } from '../../src/index.ts'
import { files } from '../../src/sinks/files.ts'
import { webhook } from '../../src/sinks/webhook.ts'
import { until, untilReadable, write } from '../reader/readers.ts'
import { bundledScript } from '../support/bundled-script.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { type ReceiverAnswer, rowsInFiles, startReceiver, temporaryDirectory } from './places.ts'

const database = await createDatabase()
const prisma = withAudit(createClient(database.url))
const secret = 'x'.repeat(16)

/** The ids of the log in the order of readers. */
const logged = async () =>
  (await database.sql<{ id: string }>('SELECT id FROM audit_logs ORDER BY transaction_id, seq')).map(
    ({ id }) => id,
  )
const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id)

async function ship(sink: Sink, options: { leaseDuration?: number } = {}, client: object = prisma) {
  const errors: AuditError[] = []
  const shipping = await startShipping(client, {
    ...{ sinks: [sink], pollInterval: 20, onError: (error: AuditError) => errors.push(error) },
    ...options,
  })
  onTestFinished(() => shipping.stop())
  return { shipping, errors }
}

beforeEach(async () => {
  for (let n = 0; n < 20; n++) await write(database.pool, `before.${n}`)
})

describe('a shipper that is killed', async () => {
  const script = await bundledScript(new URL('shipping-process.ts', import.meta.url))

  async function run(directory: string, step: string): Promise<string | null> {
    const child = spawn(process.execPath, [script, database.url, directory, step], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const [, signal] = await once(child, 'exit')
    return signal
  }

  it('has lost nothing and doubled nothing, at whatever step, with entries arriving meanwhile', {
    timeout: 120_000,
  }, async () => {
    const directory = await temporaryDirectory()
    let isArriving = true
    const arriving = (async () => {
      for (let n = 0; isArriving; n++) {
        await write(database.pool, `meanwhile.${n}`, { n })
        await sleep(20)
      }
    })()
    const signals: (string | null)[] = []
    for (const step of ['before', 'during', 'after', 'acknowledging'])
      signals.push(await run(directory, step))
    isArriving = false
    await arriving
    expect(await run(directory, 'never')).toBe(null)
    expect(signals).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL'])
    expect(ids(await rowsInFiles(directory))).toEqual(await logged())
  })
})

describe('a sink', () => {
  it('that answers 500 after it has stored the batch gets it again, with the same key', async () => {
    let answers = 0
    const receiver = await startReceiver(() => ({ status: answers++ === 0 ? 500 : 200, stores: true }))
    const name = unique('sink')
    const { shipping, errors } = await ship(
      webhook({ name, secret, url: receiver.url, limits: { entries: 8 } }),
    )
    const all = await logged()
    await until(() => receiver.rows().length === all.length, 'all entries should have come')
    const [first, second] = receiver.requests.map(({ headers, body }) => [headers['idempotency-key'], body])
    expect(second).toEqual(first)
    expect(ids(receiver.rows())).toEqual(all)
    expect(errors.map(({ code }) => code)).toEqual(['AUDIT_SINK_AWAY'])
    expect(errors[0]?.message).toBe(
      `The sink "${name}" did not store batch 1 with 8 entries: ${receiver.url} answered 500. It gets the same batch again, and no later one before.`,
    )
    await until(
      async () => (await shipping.metrics())[0]?.lag.entries === 0,
      'the last should be acknowledged',
    )
    expect(await shipping.metrics()).toEqual([
      {
        name,
        delivered: { entries: all.length, batches: Math.ceil(all.length / 8) },
        failures: 1,
        lastError: { at: expect.any(String), code: 'AUDIT_SINK_AWAY', message: errors[0]?.message },
        lag: { entries: 0, seconds: 0 },
      },
    ])
  })

  it('that has too much to do gets the batch again when it says, and one that refuses after a minute', async () => {
    const answers: ReceiverAnswer[] = [
      { status: 429, stores: false, headers: { 'retry-after': '2' } },
      { status: 403, stores: false, text: 'who are you?' },
    ]
    const receiver = await startReceiver(() => answers.shift() ?? { status: 200, stores: true })
    const start = performance.now()
    const { errors } = await ship(webhook({ name: unique('sink'), secret, url: receiver.url }))
    await until(() => errors.length === 2, 'it should have refused')
    expect(performance.now() - start).toBeGreaterThan(2_000)
    expect(errors.map(({ code }) => code)).toEqual(['AUDIT_SINK_THROTTLED', 'AUDIT_SINK_REFUSED'])
    expect(errors[1]?.message).toContain('answered 403: who are you?. It gets')
    await sleep(2_500)
    expect(receiver.requests).toHaveLength(2)
  })

  it('that is away for a while gets everything afterwards, and holds back no other', {
    timeout: 60_000,
  }, async () => {
    const receiver = await startReceiver()
    let isAway = true
    const inner = webhook({ name: unique('sink'), secret, url: receiver.url })
    const away: Sink = {
      ...inner,
      write: async (batch) => {
        if (isAway) throw new Error('the cable is out')
        return inner.write(batch)
      },
    }
    const directory = await temporaryDirectory()
    const other = files({ name: unique('sink'), directory })
    const shipping = await startShipping(prisma, {
      sinks: [away, other],
      pollInterval: 20,
      onError: () => {},
    })
    onTestFinished(() => shipping.stop())
    await until(async () => (await rowsInFiles(directory)).length > 0, 'the other should have its entries')
    await write(database.pool, 'while.away')
    const [metrics] = await shipping.metrics()
    expect(metrics?.lag.entries).toBe((await logged()).length)
    expect(metrics?.lag.seconds).toBeGreaterThan(0)
    isAway = false
    const all = await logged()
    await until(() => receiver.rows().length === all.length, 'all entries should have come')
    expect(ids(receiver.rows())).toEqual(all)
  })

  it('that is slow is given up at once when shipping stops', async () => {
    const receiver = await startReceiver(async () => {
      await sleep(20_000, undefined, { ref: false })
      return { status: 200, stores: true }
    })
    const { shipping, errors } = await ship(webhook({ name: unique('sink'), secret, url: receiver.url }))
    await until(() => receiver.requests.length === 1, 'the batch should be on its way')
    const start = performance.now()
    await shipping.stop()
    expect(performance.now() - start).toBeLessThan(1_000)
    expect(errors).toEqual([])
  })

  it('that takes longer than the lease keeps it', async () => {
    const receiver = await startReceiver(async () => {
      await sleep(4_500)
      return { status: 200, stores: true }
    })
    const sink = () => webhook({ name: 'slow', secret, url: receiver.url })
    await untilReadable(database) // or it would be more than one batch
    const [a, b] = [
      await ship(sink(), { leaseDuration: 1_500 }),
      await ship(sink(), { leaseDuration: 1_500 }),
    ]
    const all = await logged()
    await until(() => receiver.rows().length === all.length, 'all entries should have come')
    await sleep(1_500)
    expect(receiver.requests).toHaveLength(1)
    expect([...a.errors, ...b.errors]).toEqual([])
  })
})

describe('two shippers at once', () => {
  it('never interleave, and each entry is delivered once', { timeout: 60_000 }, async () => {
    const directory = await temporaryDirectory()
    const name = unique('sink')
    let atWork = 0
    let mostAtWork = 0
    const sink = (): Sink => {
      const inner = files({ name, directory, limits: { entries: 3 } })
      return {
        ...inner,
        write: async (batch) => {
          mostAtWork = Math.max(mostAtWork, ++atWork)
          await sleep(Math.random() * 20)
          try {
            return await inner.write(batch)
          } finally {
            atWork--
          }
        },
      }
    }
    const others = [withAudit(createClient(database.url)), withAudit(createClient(database.url))]
    const running = await Promise.all(others.map((client) => ship(sink(), {}, client)))
    for (let n = 0; n < 30; n++) {
      await write(database.pool, `both.${n}`)
      // the one at work hands over, and comes back
      if (n === 10) await running[0]?.shipping.stop()
      if (n === 20) running.push(await ship(sink()))
    }
    await running[1]?.shipping.stop()
    const all = await logged()
    await until(
      async () => (await rowsInFiles(directory)).length === all.length,
      'all entries should have come',
    )
    expect(ids(await rowsInFiles(directory))).toEqual(all)
    expect(mostAtWork).toBe(1)
    expect(running.flatMap(({ errors }) => errors)).toEqual([])
  })
})

describe('the database', () => {
  it('may go away and come back', { timeout: 60_000 }, async () => {
    const directory = await temporaryDirectory()
    await ship(files({ name: unique('sink'), directory, limits: { entries: 5 } }))
    for (let n = 0; n < 3; n++) {
      await database.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      )
      await write(database.pool, `restarted.${n}`)
      await sleep(300)
    }
    const all = await logged()
    await until(
      async () => (await rowsInFiles(directory)).length === all.length,
      'all entries should have come',
    )
    expect(ids(await rowsInFiles(directory))).toEqual(all)
  })

  it('may have a transaction open, which holds back what began later and loses nothing', async () => {
    const directory = await temporaryDirectory()
    const client = await database.pool.connect()
    await client.query('BEGIN')
    await write(client, 'open.long')
    await write(database.pool, 'began.later')
    const { shipping } = await ship(files({ name: unique('sink'), directory }))
    const all = await logged()
    await until(
      async () => (await rowsInFiles(directory)).length === all.length - 1,
      'the earlier ones should have come',
    )
    await until(async () => (await shipping.metrics())[0]?.lag.entries === 1, 'one should be held back')
    await client.query('COMMIT')
    client.release()
    await until(
      async () => (await rowsInFiles(directory)).length === all.length + 1,
      'all entries should have come',
    )
    expect((await rowsInFiles(directory)).slice(-2).map(({ action }) => action)).toEqual([
      'open.long',
      'began.later',
    ])
  })
})
