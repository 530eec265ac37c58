import type { ArchiveReading } from '../sink.ts'
import type { S3State } from './s3-manifest.ts'
import { manifestNumber, type ReadManifest, readManifests } from './s3-manifests.ts'
import type { S3Reader } from './s3-reader.ts'

/** A manifest, and whether it was stored before the log was restored to an earlier time. */
export interface ChainLink extends ReadManifest {
  readonly isSuperseded: boolean
}

/**
 * The manifests in the order of their chain. Each has to have the digest of the one before, and to begin where that ends.
 *
 * @param superseded keys of manifests with which begins what the log does not continue
 */
export async function* readChain(
  reader: S3Reader,
  prefix: string,
  superseded: ReadonlySet<string>,
  reading: ArchiveReading,
): AsyncGenerator<ChainLink> {
  const last = (reading.acknowledged.state as S3State | null)?.manifest
  let hasLast = false
  let heads = new Map<string, ChainLink>()
  /** Reported already, so the next one need not say that it is not there. */
  const broken = new Set<string>()
  const groups = readManifests(reader, prefix, 0n, (kind, key, message) => {
    if (kind === 'changed') broken.add(key)
    reading.fault(kind, key, message)
  })
  for await (const group of groups) {
    const next = new Map<string, ChainLink>()
    for (const found of group) {
      const before = heads.get(found.manifest.previous?.key ?? '')
      const isAlone = group.length === 1
      if (!belongsToChain(found, before, { isAlone, broken, prefix }, reading)) continue
      if (found.key === last?.key) {
        hasLast = true
        if (found.object.sha256 !== last.sha256)
          reading.fault('changed', found.key, `${found.key} has another digest than the log knows.`)
      }
      const isSuperseded = superseded.has(found.key) || (before?.isSuperseded ?? false)
      const link = { ...found, isSuperseded }
      next.set(found.key, link)
      yield link
    }
    if (next.size > 0) heads = next
  }
  if (last && !hasLast && !broken.has(last.key)) {
    reading.fault(
      'missing',
      last.key,
      `${last.key}, the last manifest that the log knows to be stored, is not there.`,
    )
  }
}

/** @returns whether it belongs to the chain */
function belongsToChain(
  { number, key, object, manifest: { previous, from } }: ReadManifest,
  before: ChainLink | undefined,
  { isAlone, broken, prefix }: { isAlone: boolean; broken: ReadonlySet<string>; prefix: string },
  { fault }: ArchiveReading,
): boolean {
  if (!key.includes(`-${object.sha256?.slice(0, 12)}.json`)) {
    fault(
      'changed',
      key,
      `${key} is not what its name says: its digest begins with ${object.sha256?.slice(0, 12)}.`,
    )
  }
  if (!previous) {
    if (number !== 1n) fault('chain', key, `${key} names none before it, and is of batch ${number}.`)
    return number === 1n || isAlone
  }
  if (!before) {
    if (!isAlone) {
      fault(
        'extra',
        key,
        `${key} follows ${previous.key}, which is not there, and another manifest has its number.`,
      )
      return false
    }
    if (manifestNumber(prefix, previous.key) !== number - 1n) {
      fault('chain', key, `${key} follows ${previous.key}, which is not of batch ${number - 1n}.`)
    } else if (!broken.has(previous.key)) {
      fault('missing', previous.key, `${previous.key}, which ${key} follows, is not there.`)
    }
    return true
  }
  if (previous.sha256 !== before.object.sha256) {
    fault('changed', before.key, `${before.key} has another digest than ${key}, which follows it, says.`)
  } else if (!before.listed.versions.includes(previous.versionId)) {
    fault('changed', before.key, `${before.key} is another version than ${key}, which follows it, says.`)
  }
  if (from !== before.manifest.until) {
    fault(
      'chain',
      key,
      `${key} begins behind ${from}, and the batch before ended with ${before.manifest.until}.`,
    )
  }
  return true
}
