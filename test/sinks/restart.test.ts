import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AuditError, startShipping, withAudit } from '../../src/index.ts'
import { files } from '../../src/sinks/files.ts'
import { startOwnServer } from '../proof/own-server.ts'
import { until, write } from '../reader/readers.ts'
import { createClient } from '../support/database.ts'
import { rowsInFiles, temporaryDirectory } from './places.ts'

const { server, database } = await startOwnServer({ fsync: 'on' })
const prisma = withAudit(createClient(database.url))

/** What is committed for certain: a write whose answer got lost may be, too. */
async function keepWriting(signal: AbortSignal, written: string[]): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const action = `write.${n}`
    await write(database.pool, action, { n }).then(
      () => written.push(action),
      () => sleep(50),
    )
  }
}

describe('a database server', () => {
  it.each([
    ['that is stopped and started', () => server.pause()],
    ['that crashes and recovers', () => server.kill()],
  ])(
    '%s while it is written to and shipped from: nothing is missing, nothing is doubled',
    {
      timeout: 60_000,
    },
    async (_, away) => {
      const directory = await temporaryDirectory()
      const errors: AuditError[] = []
      const shipping = await startShipping(prisma, {
        sinks: [files({ name: directory, directory, limits: { entries: 20 } })],
        ...{ pollInterval: 20, onError: (error: AuditError) => errors.push(error) },
      })
      onTestFinished(() => shipping.stop())
      const ending = new AbortController()
      const written: string[] = []
      const writing = keepWriting(ending.signal, written)
      for (let round = 0; round < 2; round++) {
        await until(() => written.length > 100 * (round + 1), 'it should be written to')
        await away()
        await sleep(300)
        await server.resume()
      }
      await until(() => written.length > 300, 'it should be written to again')
      ending.abort()
      await writing
      await until(async () => (await shipping.metrics())[0]?.lag.entries === 0, 'all should be delivered')
      const logged = await database.sql<{ id: string; action: string }>(
        'SELECT id, action FROM audit_logs ORDER BY transaction_id, seq',
      )
      const delivered = await rowsInFiles(directory)
      expect(delivered.map(({ id }) => id)).toEqual(logged.map(({ id }) => id))
      expect(logged.map(({ action }) => action)).toEqual(expect.arrayContaining(written))
      expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['AUDIT_UNREADABLE']))
    },
  )
})
