import { createHash } from 'node:crypto'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  type ObjectVersion,
  S3Client,
} from '@aws-sdk/client-s3'
import type { Moto } from '../../scripts/moto.ts'
import type { ExactRow } from '../../src/index.ts'
import { decompressed } from '../../src/sinks/compression.ts'
import type { Manifest } from '../../src/sinks/s3-manifest.ts'
import { versionIdOf } from '../../src/sinks/s3-versions.ts'
import { unique } from '../support/unique.ts'
import { rowsOf } from './places.ts'

/** A bucket with Object Lock, and what is in it. */
export async function createBucket({ config }: Moto, { isLocked = true } = {}) {
  const client = new S3Client(config)
  const bucket = unique('bucket')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '-')
  await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: isLocked }))
  return archiveIn(client, bucket)
}

/** What a sink has stored in a bucket under its prefix. */
export function archiveIn(client: S3Client, bucket: string, sinkPrefix = '') {
  const versions = async (prefix = ''): Promise<ObjectVersion[]> => {
    const command = new ListObjectVersionsCommand({ Bucket: bucket, Prefix: `${sinkPrefix}${prefix}` })
    return (await client.send(command)).Versions ?? []
  }
  const get = async (key: string, versionId: string | null): Promise<Buffer> => {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId ?? undefined })
    const { Body } = await client.send(command)
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }

  /** The manifests in their order; each names the one before, and the digest of its object. */
  const manifests = async (): Promise<Manifest[]> => {
    const found: Manifest[] = []
    let before: Manifest['previous'] = null
    // of one key the newest comes first, and the first one counts
    const firsts = new Map((await versions('manifests/')).map(({ Key, VersionId }) => [Key, VersionId]))
    for (const [key = '', listed] of firsts) {
      const versionId = versionIdOf(listed)
      const text = await get(key, versionId)
      const manifest = JSON.parse(String(text)) as Manifest
      if (JSON.stringify(manifest.previous) !== JSON.stringify(before))
        throw new Error(`the chain breaks at ${key}`)
      before = { key, versionId, sha256: digest(text) }
      found.push(manifest)
    }
    return found
  }

  const rows = async (): Promise<ExactRow[]> => {
    const found: ExactRow[] = []
    for (const { object, content } of await manifests()) {
      const stored = await get(object.key, object.versionId)
      const text = await decompressed(object.key, stored)
      if (digest(stored) !== object.sha256 || digest(text) !== content.sha256)
        throw new Error(`${object.key} differs`)
      found.push(...rowsOf(String(text)))
    }
    return found
  }
  return { client, bucket, versions, manifests, rows }
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
