import { describe, expect, it, onTestFinished } from 'vitest'
import { type AuditError, startShipping, withAudit } from '../../src/index.ts'
import { files } from '../../src/sinks/files.ts'
import { until, write } from '../reader/readers.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { rowsInFiles, temporaryDirectory } from './places.ts'

const database = await createDatabase()
const prisma = withAudit(createClient(database.url))

describe('a transaction that stays open while thousands of entries are committed', () => {
  it('holds them back, and when it ends all are delivered in order, one to one', {
    timeout: 120_000,
  }, async () => {
    const directory = await temporaryDirectory()
    const errors: AuditError[] = []
    await write(database.pool, 'before.it')
    const open = await database.pool.connect()
    await open.query('BEGIN')
    await write(open, 'open.first')
    const shipping = await startShipping(prisma, {
      sinks: [files({ directory, limits: { entries: 700 } })],
      ...{ pollInterval: 20, onError: (error: AuditError) => errors.push(error) },
    })
    onTestFinished(() => shipping.stop())
    const writer = async () => {
      for (let n = 0; n < 750; n++) await write(database.pool, 'committed.meanwhile', { n })
    }
    await Promise.all([writer(), writer(), writer(), writer()])
    await write(open, 'open.last')
    await until(async () => (await rowsInFiles(directory)).length > 0, 'the earlier one should have come')
    expect((await rowsInFiles(directory)).map(({ action }) => action)).toEqual(['before.it'])
    expect((await shipping.metrics())[0]?.lag.entries).toBe(3_000)
    await open.query('COMMIT')
    open.release()
    await until(async () => (await shipping.metrics())[0]?.lag.entries === 0, 'all should be delivered')
    const delivered = await rowsInFiles(directory)
    const logged = await database.sql<{ id: string }>(
      'SELECT id FROM audit_logs ORDER BY transaction_id, seq',
    )
    expect(delivered.map(({ id }) => id)).toEqual(logged.map(({ id }) => id))
    expect(delivered.slice(1, 3).map(({ action }) => action)).toEqual(['open.first', 'open.last'])
    expect(delivered).toHaveLength(3_003)
    expect(errors).toEqual([])
  })
})
