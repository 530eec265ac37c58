import {
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  type ObjectVersion,
  PutObjectRetentionCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AuditError, type Sink, startShipping, verifyArchive, withAudit } from '../../src/index.ts'
import { s3 } from '../../src/sinks/s3.ts'
import { sinkContract } from '../../src/sinks/sink-contract.ts'
import { until, write } from '../reader/readers.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { archiveIn } from './archives.ts'

/**
 * What only a strict store shows: Ceph (npm run test:s3), or Amazon's own. The bucket has to have Object Lock. What this leaves there
 * can be deleted after a day.
 */
const { AUDIT_TEST_S3_BUCKET: bucket = '', AUDIT_TEST_S3_ENDPOINT: endpoint } = process.env
const skipped = bucket === '' ? ': skipped, as AUDIT_TEST_S3_BUCKET names no bucket' : ''

const retention = { mode: 'COMPLIANCE', days: 1 } as const
const day = 24 * 60 * 60 * 1000

describe.skipIf(skipped !== '')(`the locks of S3${skipped}`, { timeout: 120_000 }, async () => {
  const config: S3ClientConfig = endpoint ? { endpoint, forcePathStyle: true } : {}
  const client = new S3Client(config)
  const database = await createDatabase()
  const prisma = withAudit(createClient(database.url))

  /** A prefix of the calling test's own, the sink that writes there, and what is there. */
  function place() {
    const [name, prefix] = [unique('s3'), `${unique('test')}-${Date.now()}/`]
    const sink = () => s3({ name, bucket, prefix, retention, client: config })
    return { sink, archive: archiveIn(client, bucket, prefix) }
  }

  async function ship(sink: Sink) {
    const errors: AuditError[] = []
    const shipping = await startShipping(prisma, {
      ...{ sinks: [sink], pollInterval: 20, onError: (error: AuditError) => errors.push(error) },
    })
    onTestFinished(() => shipping.stop())
    await until(async () => (await shipping.metrics())[0]?.lag.entries === 0, 'all should be stored')
    expect(errors).toEqual([])
  }

  describe('the contract of a sink', () => {
    const prepare = () => {
      const { sink, archive } = place()
      return { create: sink, read: archive.rows }
    }
    for (const { name, check } of sinkContract(prepare)) it(name, check)
  })

  it('hold every version of every object', async () => {
    await write(database.pool, 'locked.entry')
    const { sink, archive } = place()
    await ship(sink())
    const logged = await database.sql<{ id: string }>(
      'SELECT id FROM audit_logs ORDER BY transaction_id, seq',
    )
    expect((await archive.rows()).map(({ id }) => ({ id }))).toEqual(logged)
    const versions = await archive.versions()
    expect(versions.length).toBeGreaterThanOrEqual(2)
    for (const version of versions) {
      const { Retention } = await client.send(new GetObjectRetentionCommand(named(version)))
      expect(Retention).toMatchObject({ Mode: 'COMPLIANCE', RetainUntilDate: expect.any(Date) })
      expect(Number(Retention?.RetainUntilDate)).toBeGreaterThan(Date.now() + 0.9 * day)
      await expect(client.send(new DeleteObjectCommand(named(version)))).rejects.toMatchObject(denied)
      await expect(retain(version, 'COMPLIANCE', 0.5)).rejects.toMatchObject(denied)
      await expect(retain(version, 'GOVERNANCE', 2)).rejects.toMatchObject(denied)
    }
    expect(await archive.versions()).toEqual(versions)
  })

  it('are found by who verifies the archive', async () => {
    await write(database.pool, 'verified.entry')
    const { sink } = place()
    await ship(sink())
    const [report] = await verifyArchive(prisma, { sinks: [sink()] })
    const { differences, faults } = report ?? {}
    expect({ differences, faults }).toMatchObject({ differences: { count: 0 }, faults: { count: 0 } })
  })

  it('let nobody hide an object from whoever asks for its version', async () => {
    await write(database.pool, 'hidden.entry')
    const { sink, archive } = place()
    await ship(sink())
    const before = await archive.rows()
    // without a version it puts a mark over the object
    for (const { Key } of await archive.versions()) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))
    }
    expect(await archive.rows()).toEqual(before)
  })

  it('can be made longer', async () => {
    await write(database.pool, 'longer.entry')
    const { sink, archive } = place()
    await ship(sink())
    const [version = {}] = await archive.versions()
    await retain(version, 'COMPLIANCE', 1.1)
    const { Retention } = await client.send(new GetObjectRetentionCommand(named(version)))
    expect(Number(Retention?.RetainUntilDate)).toBeGreaterThan(Date.now() + day)
  })

  const denied = { $metadata: { httpStatusCode: 403 } }

  function named({ Key, VersionId }: ObjectVersion) {
    return { Bucket: bucket, Key, VersionId }
  }

  function retain(version: ObjectVersion, Mode: 'COMPLIANCE' | 'GOVERNANCE', days: number) {
    const RetainUntilDate = new Date(Math.ceil(Date.now() / 1000) * 1000 + days * day)
    return client.send(
      new PutObjectRetentionCommand({ ...named(version), Retention: { Mode, RetainUntilDate } }),
    )
  }
})
