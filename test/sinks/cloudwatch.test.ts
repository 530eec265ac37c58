import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Moto } from '../../scripts/moto.ts'
import { type AuditError, type ExactRow, startShipping, withAudit } from '../../src/index.ts'
import { lineRow } from '../../src/log/ndjson.ts'
import { type CloudWatchOptions, cloudWatch } from '../../src/sinks/cloudwatch.ts'
import { sinkContract } from '../../src/sinks/sink-contract.ts'
import { tamper } from '../archive/shipped.ts'
import { until, untilReadable, write } from '../reader/readers.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { startMoto, withoutMoto } from './moto.ts'

describe.skipIf(withoutMoto)(`cloudWatch${withoutMoto ? `: skipped, ${withoutMoto}` : ''}`, async () => {
  const moto = withoutMoto ? ({} as Moto) : await startMoto()
  const database = await createDatabase()
  const prisma = withAudit(createClient(database.url))
  const { forcePathStyle: _, ...config } = moto.config ?? {}
  const client = new CloudWatchLogsClient(config)

  async function messages(stream: string): Promise<string[]> {
    const found: string[] = []
    let nextToken: string | undefined
    while (true) {
      const command = new GetLogEventsCommand({
        ...{ logGroupName: 'audit', logStreamName: stream, startFromHead: true, nextToken },
      })
      const page = await client.send(command)
      if (!page.events?.length) return found
      found.push(...page.events.map(({ message = '' }) => message))
      nextToken = page.nextForwardToken
    }
  }

  async function rows(stream: string): Promise<ExactRow[]> {
    const all = (await messages(stream)).map(lineRow)
    return [...new Map(all.map((row) => [row.id, row])).values()]
  }

  async function ship(options: Partial<CloudWatchOptions> & { stream: string }) {
    await untilReadable(database) // or it could be more batches than a test expects
    const errors: AuditError[] = []
    const sink = cloudWatch({ name: unique('cw'), group: 'audit', create: true, client: config, ...options })
    const shipping = await startShipping(prisma, {
      ...{ sinks: [sink], pollInterval: 20, onError: (error: AuditError) => errors.push(error) },
    })
    onTestFinished(() => shipping.stop())
    return { errors, isDone: async () => (await shipping.metrics())[0]?.lag.entries === 0 }
  }

  describe('the contract', () => {
    const prepare = () => {
      const stream = unique('stream')
      return {
        create: () => cloudWatch({ group: 'audit', stream, create: true, client: config }),
        read: () => rows(stream),
      }
    }
    for (const { name, check } of sinkContract(prepare)) it(name, check)
  })

  const day = 24 * 60 * 60 * 1000
  it.each([
    ['is right', 0],
    ['is far ahead', 20 * day],
    ['is far behind', -20 * day],
  ])(
    'has an event for each entry, and one for those that are too old, where the clock %s',
    async (_, skew) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + skew })
      onTestFinished(() => void vi.useRealTimers())
      await tamper(database, 'TRUNCATE audit_logs')
      await database.sql(`INSERT INTO audit_logs (id, timestamp, action, actor_id, actor_type, resource_type)
      VALUES (gen_random_uuid(), now() - interval '15 days', 'long.ago', 'ada', 'user', 'test')`)
      await write(database.pool, 'just.now')
      const stream = unique('stream')
      const { errors, isDone } = await ship({ stream })
      await until(isDone, 'all should be stored')
      expect(errors).toEqual([])
      const [old] = await database.sql<{ id: string }>(`SELECT id FROM audit_logs WHERE action = 'long.ago'`)
      // the service tells its time to the second, so which of the two comes first is open
      const [entry = '', omission = '', ...others] = (await messages(stream)).toSorted(
        (a, b) => Number(a.includes('"omitted"')) - Number(b.includes('"omitted"')),
      )
      expect(others).toEqual([])
      expect(lineRow(entry).action).toBe('just.now')
      expect(JSON.parse(omission)).toMatchObject({
        omitted: { entries: 1, first: old?.id, last: old?.id },
        reason: 'CloudWatch Logs takes no event that is older than 14 days',
      })
    },
  )

  it('says what it rejects, and what is not there', async () => {
    await write(database.pool, 'some.entry')
    const missing = await ship({ stream: unique('stream'), create: false, group: 'not-there' })
    await until(() => missing.errors.length > 0, 'it should fail')
    expect(missing.errors[0]).toMatchObject({
      code: 'AUDIT_SINK_REFUSED',
      message: expect.stringContaining('ResourceNotFoundException'),
    })
    await database.sql(`INSERT INTO audit_logs (id, timestamp, action, actor_id, actor_type, resource_type)
      VALUES (gen_random_uuid(), now() + interval '3 hours', 'to.come', 'ada', 'user', 'test')`)
    const { errors } = await ship({ stream: unique('stream') })
    await until(() => errors.length > 0, 'it should fail')
    expect(errors[0]).toMatchObject({
      code: 'AUDIT_SINK_REFUSED',
      message: expect.stringContaining('rejected 1 as more than two hours ahead'),
    })
  })
})
