import {
  GetObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { ArchiveObject } from '../archive-contract.ts'
import { AuditError } from '../errors.ts'
import { awsError, statusOf } from './aws-error.ts'
import { sha256 } from './digest.ts'
import type { S3Options } from './s3-options.ts'
import { type VersionMarkers, versionIdOf, versionPages } from './s3-versions.ts'

/** A key, and all that a bucket has under it. */
export interface ListedKey {
  readonly key: string
  /** The newest first. Null in a bucket without versions. */
  readonly versions: readonly (string | null)[]
  readonly deleteMarkers: number
}

/** A version as it is. */
export interface ReadObject {
  /** Hexadecimal; null where it is longer than was to be read. */
  readonly sha256: string | null
  readonly body: Buffer
  readonly retention: ArchiveObject['retention']
}

/** Errors for what is not there; the others say nothing of it. */
const absent = ['NoSuchKey', 'NoSuchVersion', 'InvalidArgument', 'MethodNotAllowed']

/** A bucket, for who only reads it. */
export class S3Reader {
  readonly #client: S3Client
  readonly #options: S3Options
  readonly #signal: AbortSignal

  constructor(client: S3Client, options: S3Options, signal: AbortSignal) {
    this.#client = client
    this.#options = options
    this.#signal = signal
  }

  /** All keys with a prefix, in their order. */
  async *list(prefix: string): AsyncGenerator<ListedKey> {
    let last: ListedKey | undefined
    for await (const page of versionPages((from) => this.#page(prefix, from))) {
      const keys = keysOf(page, last)
      // of the last key the next page may have more
      last = page.IsTruncated ? keys.pop() : undefined
      yield* keys
    }
  }

  /**
   * Reads a version.
   *
   * @param most bytes to read; of what is longer none are
   * @returns undefined where it is not there
   */
  async get(key: string, versionId: string | null, most: number): Promise<ReadObject | undefined> {
    const command = new GetObjectCommand({ ...this.#bucket(), Key: key, VersionId: versionId ?? undefined })
    try {
      const {
        Body,
        ContentLength = 0,
        ...head
      } = await this.#client.send(command, { abortSignal: this.#signal })
      const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until } = head
      const retention = mode && until ? { mode, until: until.toISOString() } : null
      if (ContentLength > most) {
        ;(Body as { destroy?(): void } | undefined)?.destroy?.()
        return { sha256: null, body: Buffer.alloc(0), retention }
      }
      const body = Buffer.from((await Body?.transformToByteArray()) ?? [])
      return { sha256: sha256(body), body, retention }
    } catch (error) {
      if (statusOf(error) === 404 || absent.includes((error as Error).name)) return undefined
      throw this.#unreadable(error, `did not give ${key} back`)
    }
  }

  async #page(prefix: string, from: VersionMarkers): Promise<ListObjectVersionsCommandOutput> {
    const command = new ListObjectVersionsCommand({ ...this.#bucket(), Prefix: prefix, ...from })
    return this.#client.send(command, { abortSignal: this.#signal }).catch((error: unknown) => {
      throw this.#unreadable(error, `did not list what is under ${prefix}`)
    })
  }

  #bucket(): { Bucket: string; ExpectedBucketOwner: string | undefined } {
    return { Bucket: this.#options.bucket, ExpectedBucketOwner: this.#options.owner }
  }

  #unreadable(error: unknown, failure: string): unknown {
    if (this.#signal.aborted) return this.#signal.reason
    const { message } = awsError(error, failure)
    return new AuditError(
      'AUDIT_ARCHIVE_UNREADABLE',
      `The bucket ${this.#options.bucket} can't be read: ${message} Who reads it needs s3:ListBucketVersions, s3:GetObjectVersion and s3:GetObjectRetention.`,
      { cause: error },
    )
  }
}

/** The keys of a page, each with all its versions. */
function keysOf(
  { Versions = [], DeleteMarkers = [] }: ListObjectVersionsCommandOutput,
  before: ListedKey | undefined,
): ListedKey[] {
  const keys = new Map<string, { key: string; versions: (string | null)[]; deleteMarkers: number }>()
  const of = (key = '') => {
    const found = keys.get(key) ?? { key, versions: [], deleteMarkers: 0 }
    keys.set(key, found)
    return found
  }
  if (before) keys.set(before.key, { ...before, versions: [...before.versions] })
  for (const { Key, VersionId } of Versions) of(Key).versions.push(versionIdOf(VersionId))
  for (const { Key } of DeleteMarkers) of(Key).deleteMarkers++
  return [...keys.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}
