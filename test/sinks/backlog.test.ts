import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startShipping, withAudit } from '../../src/index.ts'
import { files } from '../../src/sinks/files.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { rowsInFiles, temporaryDirectory } from './places.ts'

const database = await createDatabase()
const prisma = withAudit(createClient(database.url))

describe('a backlog', () => {
  it('of 100,000 entries, of transactions large and small, is delivered one to one', {
    timeout: 300_000,
  }, async () => {
    const insert = (count: number) =>
      database.sql(
        `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, details)
         SELECT gen_random_uuid(), 'order.update', 'ada', 'user', 'order', jsonb_build_object('n', n, 'text', repeat('x', 200))
         FROM generate_series(1, $1) AS n`,
        [count],
      )
    for (let n = 0; n < 10; n++) await insert(9_900)
    for (let n = 0; n < 1_000; n++) await insert(1)
    const directory = await temporaryDirectory()
    const shipping = await startShipping(prisma, {
      sinks: [files({ directory, limits: { entries: 5_000 } })],
    })
    onTestFinished(() => shipping.stop())
    const [before] = await shipping.metrics()
    expect(before?.lag.entries).toBeGreaterThan(0)
    while ((await shipping.metrics())[0]?.lag.entries !== 0) await sleep(500)
    const logged = await database.sql<{ id: string }>(
      'SELECT id FROM audit_logs ORDER BY transaction_id, seq',
    )
    const delivered = await rowsInFiles(directory)
    expect(delivered.length).toBe(100_000)
    expect(delivered.map(({ id }) => id)).toEqual(logged.map(({ id }) => id))
  })
})
