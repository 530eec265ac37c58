import * as zlib from 'node:zlib'
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Moto } from '../../scripts/moto.ts'
import { type AuditError, type Sink, startShipping, withAudit } from '../../src/index.ts'
import { type Compression, compressorOf } from '../../src/sinks/compression.ts'
import { s3 } from '../../src/sinks/s3.ts'
import type { S3Options } from '../../src/sinks/s3-options.ts'
import { S3Store } from '../../src/sinks/s3-store.ts'
import { sinkContract } from '../../src/sinks/sink-contract.ts'
import { until, untilReadable, write } from '../reader/readers.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { createBucket } from './archives.ts'
import { startMoto, withoutMoto } from './moto.ts'

const retention = { mode: 'COMPLIANCE', days: 30 } as const

describe.skipIf(withoutMoto)(`s3${withoutMoto ? `: skipped, ${withoutMoto}` : ''}`, async () => {
  const moto = withoutMoto ? ({} as Moto) : await startMoto()
  const database = await createDatabase()
  const prisma = withAudit(createClient(database.url))

  function sinkOf(bucket: string, options: Partial<S3Options> = {}): Sink {
    return s3({ name: unique('s3'), bucket, retention, client: moto.config, ...options })
  }

  async function ship(sink: Sink) {
    await untilReadable(database) // or it could be more batches than a test expects
    const errors: AuditError[] = []
    const shipping = await startShipping(prisma, {
      ...{ sinks: [sink], pollInterval: 20, onError: (error: AuditError) => errors.push(error) },
    })
    onTestFinished(() => shipping.stop())
    const isDone = async () => (await shipping.metrics())[0]?.lag.entries === 0
    return { shipping, errors, isDone }
  }

  const logged = async () =>
    (await database.sql<{ id: string }>('SELECT id FROM audit_logs ORDER BY transaction_id, seq')).map(
      ({ id }) => id,
    )

  describe('the contract', () => {
    const prepare = async () => {
      const { bucket, rows } = await createBucket(moto)
      return { create: () => sinkOf(bucket, { name: 's3' }), read: rows }
    }
    for (const { name, check } of sinkContract(prepare)) it(name, check)
  })

  it('has each batch in an object and a manifest, both locked, and cannot lose a version', async () => {
    for (let n = 0; n < 5; n++) await write(database.pool, `archived.${n}`, { n })
    const { bucket, client, manifests, rows, versions } = await createBucket(moto)
    const { errors, isDone } = await ship(sinkOf(bucket, { limits: { entries: 2, age: 0 } }))
    await until(isDone, 'all should be stored')
    expect(errors).toEqual([])
    expect((await rows()).map(({ id }) => id)).toEqual(await logged())
    const chain = await manifests()
    expect(chain.map(({ number, entries }) => [number, entries])).toEqual([
      ['1', 2],
      ['2', 2],
      ['3', 1],
    ])
    expect(chain[0]).toMatchObject({
      ...{
        format: 'prisma-extension-audit/manifest/1',
        log: 'public.audit_logs',
        from: '1.0.0',
        previous: null,
      },
      object: {
        key: expect.stringMatching(
          /^entries\/20\d\d\/\d\d\/\d\d\/000000000001-\d{8}T\d{6}Z-[0-9a-f]{12}\.ndjson\.gz$/,
        ),
        retention: { mode: 'COMPLIANCE', until: expect.any(String) },
      },
    })
    for (const { Key, VersionId } of await versions()) {
      const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key, VersionId }))
      expect(head.ObjectLockMode).toBe('COMPLIANCE')
      expect(Number(head.ObjectLockRetainUntilDate)).toBeGreaterThan(Date.now() + 29.9 * 24 * 3_600_000)
      await expect(client.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }))).rejects.toThrow()
    }
    expect((await versions()).length).toBe(6)
  })

  it.runIf('zstdCompress' in zlib)('compresses by zstd, too', async () => {
    await write(database.pool, 'small.entry')
    const { bucket, manifests, rows } = await createBucket(moto)
    const { errors, isDone } = await ship(sinkOf(bucket, { compression: 'zstd' }))
    await until(isDone, 'all should be stored')
    expect(errors).toEqual([])
    expect((await manifests())[0]?.object.key).toMatch(/\.ndjson\.zst$/)
    expect((await rows()).map(({ id }) => id)).toEqual(await logged())
  })

  it('takes what another machine has compressed to other bytes', async () => {
    const { bucket } = await createBucket(moto)
    const store = new S3Store(new S3Client(moto.config), { bucket, retention })
    const { decompress, type } = compressorOf('gzip')
    const object = (text: string, level: number) => ({
      ...{ key: 'entries/1.gz', type, body: zlib.gzipSync(text, { level }) },
      isSame: async (stored: Buffer) => String(await decompress(stored)) === text,
    })
    const text = 'the same\n'.repeat(1_000)
    const signal = AbortSignal.timeout(30_000)
    const first = await store.put(object(text, 1), signal)
    expect(await store.put(object(text, 9), signal)).toEqual(first)
    await expect(store.put(object('something else', 1), signal)).rejects.toMatchObject({
      code: 'AUDIT_SINK_REFUSED',
    })
  })

  it('stores once what two attempts store, whatever somebody has put over it', async () => {
    const { bucket, client, versions, rows } = await createBucket(moto)
    await write(database.pool, 'stored.twice')
    const inner = sinkOf(bucket)
    let attempts = 0
    const sink: Sink = {
      ...inner,
      write: async (batch) => {
        const state = await inner.write(batch)
        if (++attempts > 1) return state
        const [{ Key } = { Key: '' }] = await versions('entries/')
        await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'something else' }))
        throw new Error('the answer got lost')
      },
    }
    const { errors, isDone } = await ship(sink)
    await until(isDone, 'all should be stored')
    expect(errors.map(({ code }) => code)).toEqual(['AUDIT_SINK_AWAY'])
    expect((await rows()).map(({ id }) => id)).toEqual(await logged())
    expect((await versions('manifests/')).length).toBe(1)
  })

  it('refuses a bucket without versions and Object Lock, unless told otherwise', async () => {
    await write(database.pool, 'unlocked.entry')
    const { bucket, versions, rows } = await createBucket(moto, { isLocked: false })
    const refused = await ship(sinkOf(bucket))
    await until(() => refused.errors.length > 0, 'it should be refused')
    expect(refused.errors[0]).toMatchObject({
      code: 'AUDIT_SINK_REFUSED',
      message: expect.stringContaining('has no Object Lock'),
    })
    expect(await versions()).toEqual([])
    const { isDone } = await ship(sinkOf(bucket, { retention: 'none', limits: { entries: 1 } }))
    await until(isDone, 'all should be stored')
    expect((await rows()).map(({ id }) => id)).toEqual(await logged())
  })

  it.each<[string, Partial<S3Options>, string, string]>([
    ['a bucket that is not there', { bucket: 'not-there' }, 'AUDIT_SINK_REFUSED', 'NoSuchBucket'],
    [
      'a store that is away',
      { client: { endpoint: 'http://127.0.0.1:1', region: 'us-east-1', maxAttempts: 1 } },
      'AUDIT_SINK_AWAY',
      'ECONNREFUSED',
    ],
  ])('says what is wrong with %s', async (_, options, code, reason) => {
    await write(database.pool, 'wrong.entry')
    const client = { ...moto.config, ...options.client }
    const { errors } = await ship(sinkOf('some-bucket', { ...options, client }))
    await until(() => errors.length > 0, 'it should fail')
    expect(errors[0]).toMatchObject({ code, message: expect.stringContaining(reason) })
  })

  it('says so where a store does not confirm the lock', async () => {
    const { bucket } = await createBucket(moto)
    const client = new S3Client(moto.config)
    const forgetful = new S3Client(moto.config)
    // a store that takes the object and drops its lock
    forgetful.middlewareStack.add(
      (next) => async (step) => {
        const { headers } = step.request as { headers: Record<string, string> }
        for (const name of Object.keys(headers))
          if (name.startsWith('x-amz-object-lock')) delete headers[name]
        return next(step)
      },
      { step: 'build', priority: 'low' },
    )
    const store = new S3Store(forgetful, { bucket, retention })
    const object = { key: 'entries/1', body: Buffer.from('1'), type: 'text/plain' }
    await expect(store.put(object, AbortSignal.timeout(10_000))).rejects.toMatchObject({
      code: 'AUDIT_SINK_REFUSED',
      message: expect.stringContaining('does not confirm Object Lock for entries/1'),
    })
    expect((await client.send(new ListObjectVersionsCommand({ Bucket: bucket }))).Versions).toHaveLength(1)
  })
})

it('refuses at once a compression that is not there', () => {
  const refusal = (compression: string): unknown => {
    const options = { bucket: 'audit', retention: 'none', compression: compression as Compression } as const
    try {
      return s3(options)
    } catch (error) {
      return error
    }
  }
  expect(refusal('brotli')).toMatchObject({
    code: 'AUDIT_INVALID_OPTIONS',
    message: `Objects can't be compressed: there is no compression "brotli". Use 'gzip' or 'zstd'.`,
  })
  if ('zstdCompress' in zlib) return
  expect(refusal('zstd')).toMatchObject({
    code: 'AUDIT_INVALID_OPTIONS',
    message: `Objects can't be compressed: this is Node ${process.versions.node}, which has no zstd. Use Node 22.15 or newer, or compression: 'gzip'.`,
  })
})
