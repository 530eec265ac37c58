import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type AuditError, type Sink, startShipping, withAudit } from '../../src/index.ts'
import { files } from '../../src/sinks/files.ts'
import { s3 } from '../../src/sinks/s3.ts'
import { webhook } from '../../src/sinks/webhook.ts'
import { until, write } from '../reader/readers.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { createBucket } from './archives.ts'
import { startMoto, withoutMoto } from './moto.ts'
import { rowsInFiles, startReceiver, temporaryDirectory } from './places.ts'

const database = await createDatabase()
const prisma = withAudit(createClient(database.url))
const moto = withoutMoto ? undefined : await startMoto()
const day = 24 * 60 * 60 * 1000

/** A sink of each kind, and what is in it. */
async function everySink(): Promise<{ sink: Sink; read: () => Promise<readonly { id: string }[]> }[]> {
  const directory = await temporaryDirectory()
  const limits = { entries: 5, age: 0 }
  const receiver = await startReceiver()
  const { url } = receiver
  const sinks = [
    {
      sink: files({ name: unique('files'), directory, limits, maxBytes: 2_000 }),
      read: () => rowsInFiles(directory),
    },
    {
      sink: webhook({ name: unique('webhook'), url, secret: 'x'.repeat(16), limits }),
      read: async () => receiver.rows(),
    },
  ]
  if (!moto) return sinks
  const { bucket, rows } = await createBucket(moto)
  const retention = { mode: 'COMPLIANCE', days: 30 } as const
  const sink = s3({ name: unique('s3'), bucket, retention, limits, client: moto.config })
  return [...sinks, { sink, read: rows }]
}

async function shipAll() {
  const errors: AuditError[] = []
  const places = await everySink()
  const shipping = await startShipping(prisma, {
    sinks: places.map(({ sink }) => sink),
    ...{ pollInterval: 20, leaseDuration: 1_000, onError: (error: AuditError) => errors.push(error) },
  })
  onTestFinished(() => shipping.stop())
  const areEqual = async () => {
    const isDone = async () => (await shipping.metrics()).every(({ lag }) => lag.entries === 0)
    await until(isDone, 'all should be stored')
    const logged = await database.sql<{ id: string }>(
      'SELECT id FROM audit_logs ORDER BY transaction_id, seq',
    )
    for (const { read } of places)
      expect((await read()).map(({ id }) => id)).toEqual(logged.map(({ id }) => id))
    expect(errors).toEqual([])
  }
  return { areEqual }
}

beforeEach(async () => {
  for (let n = 0; n < 3; n++) await write(database.pool, 'some.entry', { n })
})
afterEach(() => void vi.useRealTimers())

describe('the clock of the machine that ships', () => {
  it.each([
    ['far ahead', 400 * day],
    ['far behind', -20 * day],
  ])('may be %s', async (_, skew) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + skew })
    const { areEqual } = await shipAll()
    for (let n = 0; n < 7; n++) await write(database.pool, 'while.shipping', { n })
    await areEqual()
  })

  it('may jump', async () => {
    const { areEqual } = await shipAll()
    for (const skew of [2 * day, -2 * day, 0]) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + skew })
      for (let n = 0; n < 7; n++) await write(database.pool, 'while.jumping', { n })
      await areEqual()
      vi.useRealTimers()
    }
  })
})

describe('the clock of the database', () => {
  it('may be set back and forth between entries', async () => {
    const { areEqual } = await shipAll()
    const times = [0, 3, -1, 400, -400, -2, 5, 0].map((days) =>
      new Date(Date.now() + days * day).toISOString(),
    )
    for (const timestamp of times) {
      await database.sql(
        `INSERT INTO audit_logs (id, timestamp, action, actor_id, actor_type, resource_type)
         SELECT gen_random_uuid(), t, 'order.update', 'ada', 'user', 'order' FROM unnest($1::timestamptz[]) AS t`,
        [[timestamp, times[0]]],
      )
    }
    await areEqual()
  })
})
