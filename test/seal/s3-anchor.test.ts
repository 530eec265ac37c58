import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import type { Moto } from '../../scripts/moto.ts'
import { s3Anchor } from '../../src/anchors/s3.ts'
import { Anchoring } from '../../src/seal/anchoring.ts'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import type { ReadableAnchor } from '../../src/seal/verify/anchored.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { logOf, untilReadable, write } from '../reader/readers.ts'
import { createBucket } from '../sinks/archives.ts'
import { startMoto, withoutMoto } from '../sinks/moto.ts'
import { createDatabase } from '../support/database.ts'
import { newKey, origin, sealAll, signerOf } from './seals.ts'

const never = new AbortController().signal

describe.skipIf(withoutMoto)(`an anchor in S3${withoutMoto ? `: skipped, ${withoutMoto}` : ''}`, async () => {
  const moto = withoutMoto ? ({} as Moto) : await startMoto()

  it('keeps checkpoints that nobody can take away: what was deleted or put over is still read', async () => {
    const { bucket } = await createBucket(moto)
    const client = new S3Client(moto.config)
    const database = await createDatabase()
    const log = logOf(database)
    const key = newKey()
    const signer = await signerOf(key)
    const anchor = s3Anchor({
      ...{ bucket, prefix: 'prod/', retention: { mode: 'COMPLIANCE', days: 1 }, client: moto.config },
    })
    const anchoring = new Anchoring(log, signer, anchor)
    for (const action of ['a', 'b']) {
      await write(database.pool, action)
      await untilReadable(database)
      await sealAll(log, signer)
      await anchoring.step(never)
    }
    const verify = () =>
      verifyLog(log, { keys: [parseVerifierKey(key.publicKey)], origin, anchors: [anchor as ReadableAnchor] })
    expect(await verify()).toMatchObject({ ok: true, anchored: 2 })
    const keys: string[] = []
    for await (const note of anchor.read?.(never) ?? []) keys.push(note)
    expect(keys).toHaveLength(2)
    const names = await database.sql<{ note: string }>(
      'SELECT note FROM audit_logs_internal.checkpoints ORDER BY number',
    )
    expect(keys).toEqual(names.map(({ note }) => note))
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
    for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))
    expect(await verify()).toMatchObject({ ok: true, anchored: 2 })
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: Contents[1]?.Key, Body: 'nothing' }))
    expect(await verify()).toMatchObject({ ok: false, found: 1, anchored: 2, findings: [{ kind: 'anchor' }] })
  })

  it('refuses a bucket in which checkpoints can be deleted', async () => {
    const { bucket } = await createBucket(moto, { isLocked: false })
    const anchor = s3Anchor({ bucket, retention: { mode: 'COMPLIANCE', days: 1 }, client: moto.config })
    const checkpoint = {
      origin,
      size: 1,
      root: Buffer.alloc(32),
      state: null,
      consistencyFrom: async () => [],
    }
    await expect(anchor.publish('x', checkpoint, never)).rejects.toThrow('has no')
  })
})
