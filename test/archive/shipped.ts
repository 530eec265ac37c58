import { expect } from 'vitest'
import { type ArchiveReport, type Sink, startShipping, verifyArchive } from '../../src/index.ts'
import { until, untilReadable, write } from '../reader/readers.ts'
import type { Database } from '../support/database.ts'

/** Writes entries, each by a transaction of its own, and waits until they can be read. */
export async function writeSome(database: Database, count: number, action = 'order.update'): Promise<void> {
  for (let n = 0; n < count; n++) await write(database.pool, action, { n, text: 'größer' })
  await untilReadable(database)
}

/** Ships all that is committed. */
export async function shipAll(client: object, sink: Sink): Promise<void> {
  const shipping = await startShipping(client, {
    ...{ sinks: [sink], pollInterval: 10 },
    onError: (error) => {
      throw error
    },
  })
  await until(async () => (await shipping.metrics())[0]?.lag.entries === 0, 'all should be stored')
  await shipping.stop()
}

export async function verify(client: object, sink: Sink): Promise<ArchiveReport> {
  const [report] = await verifyArchive(client, { sinks: [sink] })
  if (!report) throw new Error('there should be a report')
  return report
}

/** What a report says, without what is zero. */
export function found({ ok, entries, differences, faults }: ArchiveReport) {
  const some = (kinds: Record<string, number>) =>
    Object.fromEntries(Object.entries(kinds).filter(([, count]) => count > 0))
  expect(ok).toBe(differences.count + faults.count === 0)
  return { ...some(entries), ...some({ ...differences.kinds }), faults: some({ ...faults.kinds }) }
}

/** Changes the log as its owner can, who disables the triggers that protect it. */
export async function tamper({ sql }: Database, change: string): Promise<void> {
  await sql(
    `ALTER TABLE audit_logs DISABLE TRIGGER USER; ${change}; ALTER TABLE audit_logs ENABLE TRIGGER USER`,
  )
}
