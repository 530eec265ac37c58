import type { ArchiveObject } from '../archive-contract.ts'
import type { ArchiveReading } from '../sink.ts'
import type { ChainLink } from './s3-chain.ts'
import type { S3Options } from './s3-options.ts'
import type { ListedKey, ReadObject, S3Reader } from './s3-reader.ts'

type Retention = ArchiveObject['retention']

/** The clocks of those who stored an object and its manifest may differ. */
const clockMargin = 24 * 60 * 60 * 1000

/** A manifest and its object have to be locked as long as they were stored to be, and to be at all where the sink locks. */
export function checkLock(
  { key, object: manifestObject, manifest: { object: stored } }: ChainLink,
  object: ReadObject | undefined,
  { retention }: S3Options,
  { fault }: ArchiveReading,
): void {
  const wanted = stored.retention ?? (retention === 'none' ? null : { mode: retention.mode, until: '' })
  if (!wanted) return
  const check = (place: string, found: Retention, margin: number) => {
    const lack = lackOf(wanted, found, margin)
    if (lack) fault('unlocked', place, `${place} ${lack}.`)
  }
  if (object) check(stored.key, object.retention, 0)
  check(key, manifestObject.retention, clockMargin)
}

function lackOf(wanted: NonNullable<Retention>, found: Retention, margin: number): string | undefined {
  if (!found) return `is not under Object Lock, and was to be in mode ${wanted.mode}`
  if (wanted.mode === 'COMPLIANCE' && found.mode !== 'COMPLIANCE') {
    return `is locked in mode ${found.mode}, and was stored in mode ${wanted.mode}`
  }
  const isShorter = wanted.until !== '' && Date.parse(found.until) < Date.parse(wanted.until) - margin
  return isShorter ? `is locked until ${found.until}, and was stored until ${wanted.until}` : undefined
}

/** Whatever is put over a version leaves it as it is, but most readers see the latest. */
export async function checkOnlyVersion(
  reader: S3Reader,
  { key, versions, deleteMarkers }: ListedKey,
  { versionId, bytes }: { readonly versionId: string | null; readonly bytes: number },
  { fault, note }: ArchiveReading,
): Promise<void> {
  if (deleteMarkers > 0) {
    fault(
      'deleted',
      key,
      `${key} has a delete marker, so that it seems not to be there. Version ${versionId} is what was stored.`,
    )
  }
  const others = versions.filter((other) => other !== versionId)
  if (others.length === 0 || !versions.includes(versionId)) return
  if (await areSame(reader, key, [versionId, ...others], bytes)) {
    note(`${key} is there in ${versions.length} versions, which are the same.`)
  } else {
    fault(
      'overwritten',
      key,
      `${key} has ${others.length} more ${others.length === 1 ? 'version' : 'versions'}, and not the same. Version ${versionId} is what was stored.`,
    )
  }
}

/** Stops at the first that differs: there may be many. */
async function areSame(
  reader: S3Reader,
  key: string,
  [first = null, ...others]: readonly (string | null)[],
  bytes: number,
): Promise<boolean> {
  const digest = (await reader.get(key, first, bytes))?.sha256
  for (const other of others) if ((await reader.get(key, other, bytes))?.sha256 !== digest) return false
  return typeof digest === 'string'
}
