import * as z from 'zod/mini'
import type { ArchiveFault } from '../sink.ts'
import { mapInOrder } from './map-in-order.ts'
import type { ListedKey, ReadObject, S3Reader } from './s3-reader.ts'

const digits = z.string().check(z.regex(/^\d+$/))
const digest = z.string().check(z.regex(/^[\da-f]{64}$/))
const version = z.nullable(z.string())

/** As far as the verifier relies on it. */
const manifestSchema = z.object({
  format: z.literal('prisma-extension-audit/manifest/1'),
  number: digits,
  era: z.object({ number: z.number(), id: z.string(), beganAt: z.string() }),
  from: z.string(),
  until: z.string(),
  entries: z.number(),
  object: z.object({
    ...{ key: z.string(), versionId: version, sha256: digest, bytes: z.number() },
    retention: z.nullable(z.object({ mode: z.string(), until: z.string() })),
  }),
  content: z.object({ sha256: digest, bytes: z.number() }),
  previous: z.nullable(z.object({ key: z.string(), versionId: version, sha256: digest })),
})

export type StoredManifest = z.output<typeof manifestSchema>

/** A manifest as it was read back. */
export interface ReadManifest {
  readonly number: bigint
  readonly key: string
  readonly listed: ListedKey
  /** The first version of the key: what comes later does not count. */
  readonly versionId: string | null
  readonly object: ReadObject
  readonly manifest: StoredManifest
}

/** What is among manifests and is none that counts. */
export type OnOther = (kind: ArchiveFault, key: string, message: string) => void

const mostBytes = 1024 * 1024
const atOnce = 8

/** The number in a manifest's key; undefined for the key of something else. */
export function manifestNumber(prefix: string, key: string): bigint | undefined {
  const [, number] = /^manifests\/(\d{12,})-[\da-f]{12}\.json$/.exec(key.slice(prefix.length)) ?? []
  return number === undefined ? undefined : BigInt(number)
}

/**
 * The manifests in the order of their numbers; those of one number together.
 *
 * @param start the lowest number
 * @param onOther told of what is under their prefix and is none
 */
export async function* readManifests(
  reader: S3Reader,
  prefix: string,
  start: bigint,
  onOther: OnOther = () => {},
): AsyncGenerator<ReadManifest[]> {
  const listed = listManifests(reader, prefix, start, onOther)
  let group: ReadManifest[] = []
  for await (const { number, key, object } of mapInOrder(listed, atOnce, async (found) => ({
    ...found,
    object: await reader.get(found.key.key, first(found.key), mostBytes),
  }))) {
    if (!object) continue // deleted just now: the next one names it
    const manifest = parseManifest(object.body)
    if (!manifest || BigInt(manifest.number) !== number) {
      const said = manifest ? `is a manifest of batch ${manifest.number}` : 'is no manifest'
      onOther('changed', key.key, `${key.key} ${said}.`)
      continue
    }
    if (group[0] && group[0].number !== number) {
      yield group
      group = []
    }
    group.push({ number, key: key.key, listed: key, versionId: first(key), object, manifest })
  }
  if (group.length > 0) yield group
}

async function* listManifests(
  reader: S3Reader,
  prefix: string,
  start: bigint,
  onOther: OnOther,
): AsyncGenerator<{ number: bigint; key: ListedKey }> {
  for await (const key of reader.list(`${prefix}manifests/`)) {
    const number = manifestNumber(prefix, key.key)
    if (key.versions.length === 0) continue // deleted, and the next one names it
    if (number === undefined) onOther('extra', key.key, `${key.key} has no name of a manifest.`)
    else if (number >= start) yield { number, key }
  }
}

function first({ versions }: ListedKey): string | null {
  return versions.at(-1) ?? null
}

function parseManifest(body: Buffer): StoredManifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(String(body))).data
  } catch {
    return undefined
  }
}
