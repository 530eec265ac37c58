import type { S3Client } from '@aws-sdk/client-s3'
import type { Archive, ArchivePart, ArchiveReading } from '../sink.ts'
import { decompressed } from './compression.ts'
import { sha256 } from './digest.ts'
import { mapInOrder } from './map-in-order.ts'
import { findSuperseded } from './s3-branches.ts'
import { type ChainLink, readChain } from './s3-chain.ts'
import { ListedObjects } from './s3-listed-objects.ts'
import { checkLock, checkOnlyVersion } from './s3-locks.ts'
import type { S3Options } from './s3-options.ts'
import { type ReadObject, S3Reader } from './s3-reader.ts'
import { storedLines } from './stored-lines.ts'

/** How many objects are in memory. */
const atOnce = 4

/** What the sink has stored in a bucket. */
export function s3Archive(client: S3Client, options: S3Options): Archive {
  const { bucket, prefix = '' } = options
  return {
    place: `s3://${bucket}/${prefix}`,
    read: (reading) => readArchive(new S3Reader(client, options, reading.signal), options, reading),
  }
}

async function* readArchive(
  reader: S3Reader,
  options: S3Options,
  reading: ArchiveReading,
): AsyncGenerator<ArchivePart> {
  const { prefix = '' } = options
  const superseded = await findSuperseded(reader, prefix, reading)
  const objects = new ListedObjects(reader, prefix)
  const chain = readChain(reader, prefix, superseded, reading)
  const read = mapInOrder(chain, atOnce, async (link) => ({
    link,
    listed: await objects.take(link.manifest.object.key),
    object: await readObject(reader, link),
  }))
  for await (const { link, listed, object } of read) {
    await checkOnlyVersion(
      reader,
      link.listed,
      { versionId: link.versionId, bytes: link.object.body.length },
      reading,
    )
    if (listed) await checkOnlyVersion(reader, listed, link.manifest.object, reading)
    checkLock(link, object, options, reading)
    const text = await contentOf(link, object, reading)
    if (!text) continue
    const { key } = link.manifest.object
    let count = 0
    yield {
      place: key,
      isSuperseded: link.isSuperseded,
      fraction: Number(link.number) / Math.max(Number(reading.acknowledged.batches), Number(link.number)),
      lines: (async function* () {
        for await (const line of storedLines([text], () =>
          reading.fault('changed', key, `${key} ends within a line.`),
        )) {
          count++
          yield line
        }
      })(),
    }
    if (count !== link.manifest.entries) {
      reading.fault(
        'changed',
        key,
        `${key} has ${count} lines, and its manifest says ${link.manifest.entries}.`,
      )
    }
  }
  await objects.reportUnnamed(reading)
}

/** What was changed may have become longer. Without a limit it could be of any length. */
function longest(bytes: number): number {
  return 2 * bytes + 1024 * 1024
}

function readObject(reader: S3Reader, { manifest: { object } }: ChainLink): Promise<ReadObject | undefined> {
  return reader.get(object.key, object.versionId, longest(object.bytes))
}

/** The lines of an object, also of one that is not as it was stored, as far as it can be unzipped. */
async function contentOf(
  { key: manifestKey, manifest: { object: stored, content } }: ChainLink,
  object: ReadObject | undefined,
  { fault }: ArchiveReading,
): Promise<Buffer | undefined> {
  const { key } = stored
  if (!object) {
    fault('missing', key, `${key}, which ${manifestKey} names, is not there.`)
    return undefined
  }
  const isSame = object.sha256 === stored.sha256 && object.body.length === stored.bytes
  if (!isSame) fault('changed', key, `${key} is not what ${manifestKey} says: size or SHA-256 differ.`)
  const text = await decompressed(key, object.body, { maxOutputLength: longest(content.bytes) }).catch(
    () => undefined,
  )
  if (isSame && (!text || sha256(text) !== content.sha256)) {
    fault('changed', key, `${key} holds something else than ${manifestKey} says.`)
  }
  return text
}
