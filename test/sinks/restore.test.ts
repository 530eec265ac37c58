import { execFile } from 'node:child_process'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { PrismaPg } from '@prisma/adapter-pg'
import { describe, expect, it } from 'vitest'
import { type AuditError, type ExactRow, type Sink, startShipping, withAudit } from '../../src/index.ts'
import { lineRow } from '../../src/log/ndjson.ts'
import { cloudWatch } from '../../src/sinks/cloudwatch.ts'
import { files } from '../../src/sinks/files.ts'
import { s3 } from '../../src/sinks/s3.ts'
import { webhook } from '../../src/sinks/webhook.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { startOwnServer } from '../proof/own-server.ts'
import { until, write } from '../reader/readers.ts'
import { createBucket } from './archives.ts'
import { startMoto, withoutMoto } from './moto.ts'
import { rowsInFiles, rowsOf, startReceiver, temporaryDirectory } from './places.ts'

const moto = withoutMoto ? undefined : await startMoto()

/** A sink, and what is in it. */
interface Place {
  readonly sink: Sink
  readonly read: () => Promise<readonly ExactRow[]>
}

async function places(): Promise<Place[]> {
  const directory = await temporaryDirectory()
  const receiver = await startReceiver()
  const limits = { entries: 3, age: 0 }
  const found: Place[] = [
    { sink: files({ directory, limits }), read: () => rowsInFiles(directory) },
    {
      sink: webhook({ url: receiver.url, secret: 'x'.repeat(16), limits }),
      read: async () => receiver.rows(),
    },
  ]
  if (!moto) return found
  const { bucket, client, versions } = await createBucket(moto)
  const retention = { mode: 'COMPLIANCE', days: 30 } as const
  found.push({
    sink: s3({ bucket, retention, limits, client: moto.config }),
    // manifests fork where the log went back, and each object counts
    read: async () => {
      const rows: ExactRow[] = []
      for (const { Key, VersionId } of await versions('entries/')) {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key, VersionId }))
        rows.push(...rowsOf(String(gunzipSync((await Body?.transformToByteArray()) ?? Buffer.of()))))
      }
      return rows
    },
  })
  const { forcePathStyle: _, ...config } = moto.config
  const stream = { logGroupName: 'audit', logStreamName: 'restored' }
  found.push({
    sink: cloudWatch({ group: 'audit', stream: 'restored', create: true, limits, client: config }),
    read: async () => {
      const command = new GetLogEventsCommand({ ...stream, startFromHead: true })
      const { events = [] } = await new CloudWatchLogsClient(config).send(command)
      return events.map(({ message = '' }) => lineRow(message))
    },
  })
  return found
}

describe('a database', () => {
  it('that is restored to an earlier time: what had been shipped since stays, and nothing new is missing', {
    timeout: 120_000,
  }, async () => {
    const { server, database } = await startOwnServer({ restore_command: 'false' })
    const stores = await places()
    const eras = new Map<string, Set<number>>()
    const telling = ({ write: store, ...sink }: Sink): Sink => ({
      ...sink,
      write: (batch) => {
        eras.set(sink.name, (eras.get(sink.name) ?? new Set()).add(batch.era.number))
        return store(batch)
      },
    })
    const errors: AuditError[] = []

    /** Writes entries, and ships until all are stored. */
    const writeAndShip = async (action: string, count: number) => {
      for (let n = 0; n < count; n++) await write(database.pool, action, { n })
      const prisma = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: server.url }) }))
      const shipping = await startShipping(prisma, {
        sinks: stores.map(({ sink }) => telling({ ...sink, close: async () => {} })),
        ...{ pollInterval: 20, onError: (error: AuditError) => errors.push(error) },
      })
      await until(
        async () => (await shipping.metrics()).every(({ lag }) => lag.entries === 0),
        'all should be stored',
      )
      await shipping.stop()
      await prisma.$disconnect()
      const rows = await database.sql<{ id: string }>('SELECT id FROM audit_logs ORDER BY seq')
      return rows.map(({ id }) => id)
    }

    const before = await writeAndShip('before.backup', 8)
    const [{ data_directory: directory = '' } = {}] = await database.sql<{ data_directory: string }>(
      'SHOW data_directory',
    )
    const backup = join(await temporaryDirectory(), 'data')
    await server.pause()
    await copy(directory, backup)
    await server.resume()
    const lost = (await writeAndShip('lost.later', 5)).slice(before.length)

    await server.pause()
    await rm(directory, { recursive: true })
    await copy(backup, directory)
    // without it the server would go on where it was, on the same timeline
    await writeFile(join(directory, 'recovery.signal'), '')
    await chmod(join(directory, 'recovery.signal'), 0o666)
    await server.resume()
    const restored = await writeAndShip('after.restore', 7)

    expect(restored.slice(0, before.length)).toEqual(before)
    expect(restored).toHaveLength(15)
    for (const { sink, read } of stores) {
      const ids = (await read()).map(({ id }) => id)
      expect(new Set(ids), sink.name).toEqual(new Set([...before, ...lost, ...restored]))
      expect(ids.length, sink.name).toBe(20)
      expect([...(eras.get(sink.name) ?? [])], sink.name).toEqual([1, 2])
    }
    expect(errors).toEqual([])
  })
})

/** With their owner, whom the server insists on. */
async function copy(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to])
}
