import { gunzipSync, gzipSync } from 'node:zlib'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Moto } from '../../scripts/moto.ts'
import { verifyArchive, withAudit } from '../../src/index.ts'
import { s3 } from '../../src/sinks/s3.ts'
import type { S3Options } from '../../src/sinks/s3-options.ts'
import { S3Reader } from '../../src/sinks/s3-reader.ts'
import { createBucket } from '../sinks/archives.ts'
import { startMoto, withoutMoto } from '../sinks/moto.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { found, shipAll, tamper, verify, writeSome } from './shipped.ts'

const retention = { mode: 'GOVERNANCE', days: 30 } as const
const title = `an archive in S3${withoutMoto ? `: skipped, ${withoutMoto}` : ''}`

describe.skipIf(withoutMoto)(title, async () => {
  const moto = withoutMoto ? ({} as Moto) : await startMoto()
  const database = await createDatabase()
  const prisma = withAudit(createClient(database.url))

  /** Six entries in three objects. */
  async function archive({ isLocked = true, ...options }: Partial<S3Options> & { isLocked?: boolean } = {}) {
    const { client, bucket, versions } = await createBucket(moto, { isLocked })
    const sinkOf = (more: Partial<S3Options> = {}) =>
      s3({
        ...{ name, bucket, retention: isLocked ? retention : 'none', client: moto.config },
        ...{ limits: { entries: 2, age: 0 }, ...options, ...more },
      })
    const name = unique('s3')
    const sink = sinkOf()
    await shipAll(prisma, sink)
    const keysUnder = async (prefix: string) =>
      (await versions(`${options.prefix ?? ''}${prefix}`)).map(({ Key = '' }) => Key).sort()
    // of batches 1, 2 and 3
    const [objects, lists] = [
      ['', ...(await keysUnder('entries/'))],
      ['', ...(await keysUnder('manifests/'))],
    ]
    const put = (Key = '', Body: string | Uint8Array = '') =>
      client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))
    /** Deletes the version itself, as who may bypass GOVERNANCE can. */
    const remove = async (Key = '') => {
      for (const { VersionId } of await versions(Key))
        await client.send(
          new DeleteObjectCommand({ Bucket: bucket, Key, VersionId, BypassGovernanceRetention: true }),
        )
    }
    const get = async (Key = '') => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
      return Buffer.from((await Body?.transformToByteArray()) ?? [])
    }
    return {
      client,
      bucket,
      sink,
      sinkOf,
      objects: objects ?? [],
      lists: lists ?? [],
      put,
      remove,
      get,
      versions,
    }
  }

  beforeEach(async () => {
    await tamper(database, 'TRUNCATE audit_logs')
    await writeSome(database, 6)
  })

  it('equals the log, and what is not shipped yet is said', async () => {
    const { sink, bucket } = await archive()
    await writeSome(database, 1)
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 6, notShipped: 1, faults: {} })
    expect(report).toMatchObject({ place: `s3://${bucket}/`, notes: [] })
  })

  it('under COMPLIANCE, with a prefix, beside another one', async () => {
    const compliance = { mode: 'COMPLIANCE', days: 30 } as const
    const { sink, sinkOf } = await archive({ prefix: 'prod/', retention: compliance })
    const other = sinkOf({ prefix: '', name: unique('s3') })
    await shipAll(prisma, other)
    expect(found(await verify(prisma, sink))).toEqual({ equal: 6, faults: {} })
    expect(found(await verify(prisma, other))).toEqual({ equal: 6, faults: {} })
  })

  it('without versions and Object Lock, where that is meant', async () => {
    const { sink } = await archive({ isLocked: false })
    expect(found(await verify(prisma, sink))).toEqual({ equal: 6, faults: {} })
  })

  it('that is empty', async () => {
    const { bucket } = await createBucket(moto)
    const sink = s3({ name: unique('s3'), bucket, retention, client: moto.config })
    expect(found(await verify(prisma, sink))).toEqual({ notShipped: 6, faults: {} })
  })

  it('of more than 1,000 versions', { timeout: 120_000 }, async () => {
    const { sink, lists, put } = await archive()
    for (let n = 0; n < 1_010; n++) await put(lists[2], `${n}`)
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 6, faults: { overwritten: 1 } })
    expect(report.faults.first[0]?.message).toContain('has 1010 more versions, and not the same.')
  })

  it('is listed page by page', async () => {
    const { bucket, put } = await archive()
    for (const key of ['a', 'b', 'b', 'b', 'b', 'c', 'd']) await put(key, key)
    const client = new S3Client(moto.config)
    for (const Key of ['b', 'c', 'c']) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))
    const pages: unknown[] = []
    client.middlewareStack.add(
      (next) => (step) => {
        pages.push(Object.assign(step.input, { MaxKeys: 2 }))
        return next(step)
      },
      { step: 'initialize' },
    )
    const listed: unknown[] = []
    const reader = new S3Reader(client, { bucket, retention: 'none' }, new AbortController().signal)
    for await (const { key, versions, deleteMarkers } of reader.list(''))
      if (key.length === 1) listed.push([key, versions.length, deleteMarkers])
    expect(listed).toEqual([
      ['a', 1, 0],
      ['b', 4, 1],
      ['c', 1, 2],
      ['d', 1, 0],
    ])
    expect(pages.length).toBeGreaterThan(6)
  })

  it('that can’t be read is no difference', async () => {
    const { sinkOf } = await archive()
    await expect(verifyArchive(prisma, { sinks: [sinkOf({ bucket: 'not-there' })] })).rejects.toMatchObject({
      code: 'AUDIT_ARCHIVE_UNREADABLE',
      message: expect.stringContaining('NoSuchBucket'),
    })
  })

  it('that is being written to: a batch whose manifest is still to come', async () => {
    const { sink, sinkOf, objects, put } = await archive()
    const next = objects[3]?.replace('000000000003', '000000000004')
    await put(next)
    expect(found(await verify(prisma, sink))).toEqual({ equal: 6, faults: { extra: 1 } })
    // begun, and not acknowledged
    await database.sql(
      `UPDATE audit_logs_internal.consumers SET batch = 4, batch_era = era, batch_transaction_id = transaction_id,
         batch_seq = seq, batch_entries = 1 WHERE name = $1`,
      [`sink:${sink.name}`],
    )
    expect(found(await verify(prisma, sinkOf()))).toEqual({ equal: 6, faults: {} })
  })

  describe('what somebody did to objects is found', () => {
    it('a later version over the first, which still counts', async () => {
      const { sink, objects, lists, put, versions } = await archive()
      await put(objects[2], 'something else')
      await put(lists[1], '{}')
      const report = await verify(prisma, sink)
      expect(found(report)).toEqual({ equal: 6, faults: { overwritten: 2 } })
      const [first] = (await versions(objects[2])).toReversed()
      expect(report.faults.first).toContainEqual({
        ...{ kind: 'overwritten', place: objects[2] },
        message: `${objects[2]} has 1 more version, and not the same. Version ${first?.VersionId} is what was stored.`,
      })
    })

    it('and a later version that is the same is said', async () => {
      const { sink, objects, put, get } = await archive()
      await put(objects[2], await get(objects[2]))
      const report = await verify(prisma, sink)
      expect(found(report)).toEqual({ equal: 6, faults: {} })
      expect(report.notes).toEqual([`${objects[2]} is there in 2 versions, which are the same.`])
    })

    it('a delete marker', async () => {
      const { client, bucket, sink, objects, lists } = await archive()
      for (const Key of [objects[1], lists[3]])
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))
      const report = await verify(prisma, sink)
      expect(found(report)).toEqual({ equal: 6, faults: { deleted: 2 } })
      expect(report.faults.first.map(({ place }) => place)).toEqual([objects[1], lists[3]])
    })

    it('an object that is missing', async () => {
      const { sink, objects, lists, remove } = await archive()
      await remove(objects[2])
      const report = await verify(prisma, sink)
      expect(found(report)).toEqual({ equal: 4, missing: 2, faults: { missing: 1 } })
      expect(report.faults.first).toEqual([
        {
          ...{ kind: 'missing', place: objects[2] },
          message: `${objects[2]}, which ${lists[2]} names, is not there.`,
        },
      ])
    })

    it('changed bytes, where no version keeps the old ones', async () => {
      const { sink, objects, put, get } = await archive({ isLocked: false })
      const text = String(gunzipSync(await get(objects[2])))
      await put(objects[2], gzipSync(text.replace('"actor_id":"ada"', '"actor_id":"eve"')))
      await put(objects[3], 'no gzip')
      const report = await verify(prisma, sink)
      expect(found(report)).toEqual({ equal: 3, changed: 1, missing: 2, faults: { changed: 2 } })
      expect(report.differences.first[0]).toMatchObject({ columns: ['actor_id'], place: `${objects[2]}:1` })
    })

    it('an object that no manifest names', async () => {
      const { sink, objects, put } = await archive()
      const forged = objects[2]?.replace(/[\da-f]{12}\.ndjson/, '0123456789ab.ndjson')
      await put(forged, 'forged')
      await put('entries/notes.txt', 'hello')
      const report = await verify(prisma, sink)
      expect(found(report)).toEqual({ equal: 6, faults: { extra: 2 } })
      expect(report.faults.first.map(({ place }) => place)).toEqual([forged, 'entries/notes.txt'])
    })
  })

  describe('what somebody did to manifests is found', () => {
    it('one that is missing in the middle', async () => {
      const { sink, objects, lists, remove } = await archive()
      await remove(lists[2])
      const report = await verify(prisma, sink)
      expect(found(report)).toEqual({ equal: 4, missing: 2, faults: { missing: 1, extra: 1 } })
      expect(report.faults.first).toEqual([
        {
          ...{ kind: 'missing', place: lists[2] },
          message: `${lists[2]}, which ${lists[3]} follows, is not there.`,
        },
        { kind: 'extra', place: objects[2], message: `${objects[2]} is named by no manifest.` },
      ])
    })

    it('one that is missing at the end', async () => {
      const { sink, lists, remove } = await archive()
      await remove(lists[3])
      const report = await verify(prisma, sink)
      expect(found(report)).toEqual({ equal: 4, missing: 2, faults: { missing: 1, extra: 1 } })
      expect(report.faults.first[0]).toEqual({
        ...{ kind: 'missing', place: lists[3] },
        message: `${lists[3]}, the last manifest that the log knows to be stored, is not there.`,
      })
    })

    it('one that is missing at the beginning', async () => {
      const { sink, lists, remove } = await archive()
      await remove(lists[1])
      expect(found(await verify(prisma, sink))).toEqual({
        ...{ equal: 4, missing: 2 },
        faults: { missing: 1, extra: 1 },
      })
    })

    it('one whose bytes were changed: by its name, the one behind it, or the log', async () => {
      const { sink, lists, put, get } = await archive({ isLocked: false })
      for (const key of [lists[2], lists[3]]) {
        const text = String(await get(key))
        await put(key, text.replace('"sink":', '"sink" :'))
      }
      const report = await verify(prisma, sink)
      expect(found(report)).toEqual({ equal: 6, faults: { changed: 4 } })
      expect(new Set(report.faults.first.map(({ place }) => place))).toEqual(new Set([lists[2], lists[3]]))
    })

    it('one that is no manifest any more', async () => {
      const { sink, objects, lists, put } = await archive({ isLocked: false })
      await put(lists[2], '{}')
      const report = await verify(prisma, sink)
      expect(found(report)).toEqual({ equal: 4, missing: 2, faults: { changed: 1, extra: 1 } })
      expect(report.faults.first.map(({ place }) => place)).toEqual([lists[2], objects[2]])
    })

    it('one that somebody has put beside it', async () => {
      const { sink, lists, put, get } = await archive()
      const forged = lists[2]?.replace(/[\da-f]{12}\.json/, 'ffffffffffff.json')
      const text = String(await get(lists[2]))
      await put(forged, text.replace(/(?<="content": \{\s*"sha256": ")\w+/, '0'.repeat(64)))
      await put('manifests/notes.txt', 'hello')
      const report = await verify(prisma, sink)
      expect(found(report).faults).toEqual({ chain: 1, changed: 2, extra: 1, unlocked: 1 })
      expect(report.faults.first).toContainEqual({
        ...{ kind: 'chain', place: forged },
        message: `Batch 2 (from ${forged} on, 2 entries): beside other manifests of the same numbers, and the log was not restored in between.`,
      })
      expect(report.differences.count).toBe(0)
    })

    it('one that leaves out entries, by its place behind the one before', async () => {
      const { sink, lists, put, get } = await archive({ isLocked: false })
      const { from } = JSON.parse(String(await get(lists[2])))
      await put(lists[2], String(await get(lists[2])).replace(`"from": "${from}"`, '"from": "1.1.1"'))
      const report = await verify(prisma, sink)
      expect(found(report).faults).toEqual({ chain: 1, changed: 2 })
    })
  })

  describe('Object Lock', () => {
    it('that is missing is found', async () => {
      const { sink, sinkOf, objects, lists } = await archive({ retention: 'none' })
      expect(found(await verify(prisma, sink))).toEqual({ equal: 6, faults: {} })
      const report = await verify(prisma, sinkOf({ retention }))
      expect(found(report)).toEqual({ equal: 6, faults: { unlocked: 6 } })
      expect(report.faults.first[0]).toEqual({
        ...{ kind: 'unlocked', place: objects[1] },
        message: `${objects[1]} is not under Object Lock, and was to be in mode GOVERNANCE.`,
      })
      expect(report.faults.first[1]?.place).toBe(lists[1])
    })

    it('that was shortened or weakened is found', async () => {
      const compliance = { mode: 'COMPLIANCE', days: 30 } as const
      const { client, bucket, sink, objects, lists } = await archive({ retention: compliance })
      const lock = (Key = '', Mode: 'GOVERNANCE' | 'COMPLIANCE', days: number) =>
        client.send(
          new PutObjectRetentionCommand({
            ...{ Bucket: bucket, Key, BypassGovernanceRetention: true },
            Retention: { Mode, RetainUntilDate: new Date(Date.now() + days * 24 * 3_600_000) },
          }),
        )
      await lock(objects[1], 'COMPLIANCE', 2)
      await lock(objects[2], 'GOVERNANCE', 60)
      await lock(lists[3], 'COMPLIANCE', 2)
      const report = await verify(prisma, sink)
      expect(found(report)).toEqual({ equal: 6, faults: { unlocked: 3 } })
      expect(report.faults.first.map(({ place }) => place)).toEqual([objects[1], objects[2], lists[3]])
      expect(report.faults.first.map(({ message }) => message)).toEqual([
        expect.stringMatching(/ is locked until 20\S+, and was stored until 20\S+\.$/),
        expect.stringMatching(/ is locked in mode GOVERNANCE, and was stored in mode COMPLIANCE\.$/),
        expect.stringMatching(/ is locked until 20\S+, and was stored until 20\S+\.$/),
      ])
    })

    it('that was lengthened is as good', async () => {
      const { client, bucket, sink, objects } = await archive()
      const until = new Date(Date.now() + 60 * 24 * 3_600_000)
      const Retention = { Mode: 'COMPLIANCE', RetainUntilDate: until } as const
      await client.send(new PutObjectRetentionCommand({ Bucket: bucket, Key: objects[1], Retention }))
      expect(found(await verify(prisma, sink))).toEqual({ equal: 6, faults: {} })
    })
  })

  it('differs from a log in which rows were changed and removed', async () => {
    const { sink, objects } = await archive()
    await tamper(
      database,
      `UPDATE audit_logs SET details = '{"n": 7}' WHERE seq = (SELECT min(seq) FROM audit_logs);
       DELETE FROM audit_logs WHERE seq = (SELECT max(seq) FROM audit_logs)`,
    )
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 4, changed: 1, extra: 1, faults: {} })
    expect(report.differences.first).toMatchObject([
      { kind: 'changed', columns: ['details'], place: `${objects[1]}:1` },
      { kind: 'extra', action: 'order.update', place: `${objects[3]}:2` },
    ])
  })
})
