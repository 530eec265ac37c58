import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { ArchiveObject, NewArchiveObject } from '../archive-contract.ts'
import { AuditError } from '../errors.ts'
import { awsError, statusOf } from './aws-error.ts'
import { sha256, sha256Base64 } from './digest.ts'
import type { S3Options } from './s3-options.ts'
import { versionIdOf, versionPages } from './s3-versions.ts'

/** An object to store. */
interface NewObject extends NewArchiveObject {
  /** Whether other bytes that an attempt before has stored under this key are as good. */
  readonly isSame?: (body: Buffer) => Promise<boolean>
  /** Whether something else under this key is replaced by a new version. Else it is refused. */
  readonly replaces?: boolean
}

const day = 24 * 60 * 60 * 1000

/** A bucket in which objects are written once. None is deleted but by `remove`, which Object Lock rules out. */
export class S3Store {
  readonly #client: S3Client
  readonly #options: S3Options
  /** Whether it stores an object again instead of refusing to; undefined until that is known. */
  #overwrites: boolean | undefined

  constructor(client: S3Client, options: S3Options) {
    this.#client = client
    this.#options = options
  }

  /** @throws AuditError `AUDIT_SINK_REFUSED` for a bucket in which objects can be deleted or overwritten */
  async check(abortSignal: AbortSignal): Promise<void> {
    const { bucket, retention } = this.#options
    if (retention === 'none') return
    const versioning = await this.#send(
      `has not said whether bucket ${bucket} keeps versions`,
      this.#client.send(new GetBucketVersioningCommand(this.#bucket()), { abortSignal }),
    )
    const lock = await this.#send(
      `has not said whether bucket ${bucket} has Object Lock`,
      this.#client
        .send(new GetObjectLockConfigurationCommand(this.#bucket()), { abortSignal })
        .catch((error: unknown) => {
          if (statusOf(error) !== 404) throw error
        }),
    )
    const isLocked = lock?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled'
    if (versioning.Status === 'Enabled' && isLocked) return
    throw new AuditError(
      'AUDIT_SINK_REFUSED',
      `the bucket ${bucket} has no ${isLocked ? 'versioning' : 'Object Lock'}, so objects in it can be deleted. Nothing was written. Make a bucket with Object Lock, or say retention: 'none' where that is meant.`,
    )
  }

  /**
   * Stores an object, unless one of that key is there: then it has to be the same. Trusts no silence: what counts is what the
   * store says of the object afterwards.
   */
  async put(object: NewObject, signal: AbortSignal): Promise<ArchiveObject> {
    signal.throwIfAborted()
    const until = this.#retainUntil()
    const put = await this.#put(object, until, signal)
    const isKnown = put.isNew && (object.replaces || !(await this.#ignoresCondition(object, until, signal)))
    const versionId = isKnown ? put.versionId : await this.#firstVersion(object.key, signal)
    const isFirst = put.isNew && versionId === put.versionId
    const head = await this.#head(object.key, versionId, signal)
    const stored = await this.#storedDigest(object, head, versionId, isFirst, signal)
    if (stored === undefined) {
      throw new AuditError(
        'AUDIT_SINK_REFUSED',
        `the store has something else under ${object.key}, version ${versionId}, than was to be stored. It was not overwritten, and what it is was not written by this sink. See who may write to the bucket ${this.#options.bucket}.`,
      )
    }
    return {
      ...{ key: object.key, versionId, bytes: head.ContentLength ?? -1, sha256: stored },
      retention: this.#confirmedRetention(object.key, head, isFirst ? until : undefined),
    }
  }

  /** The SHA-256 of what is stored, in hexadecimal, where that is as good as what was to be stored. */
  async #storedDigest(
    { key, body, isSame }: NewObject,
    { ContentLength, ChecksumSHA256 }: HeadObjectCommandOutput,
    versionId: string | null,
    isNew: boolean,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const isConfirmed = ContentLength === body.length && ChecksumSHA256 === sha256Base64(body)
    if (isConfirmed) return sha256(body)
    if (isNew && ChecksumSHA256 !== undefined) return undefined
    const stored = await this.get(key, versionId, signal)
    const isGood = stored.equals(body) || (!isNew && (await isSame?.(stored)))
    return isGood ? sha256(stored) : undefined
  }

  /** Some stores know no conditional writes: the same object is then stored in several versions, of which the first counts. */
  async #ignoresCondition(object: NewObject, until: Date | undefined, signal: AbortSignal): Promise<boolean> {
    if (this.#overwrites !== undefined) return this.#overwrites
    const { isNew } = await this.#put(object, until, signal)
    this.#overwrites = isNew
    if (!isNew) return false
    process.emitWarning(
      `The store of bucket ${this.#options.bucket} ignores If-None-Match: an object that is stored again, after a crash, is there in two versions. The first counts.`,
      { code: 'AUDIT_STORE_OVERWRITES' },
    )
    return true
  }

  /** 409 and 412 both mean that somebody was first: an attempt before, or another process. */
  async #put(
    { key, body, type, replaces }: NewObject,
    until: Date | undefined,
    abortSignal: AbortSignal,
  ): Promise<{ isNew: boolean; versionId: string | null }> {
    const { retention, encryption } = this.#options
    const lock =
      retention === 'none' ? {} : { ObjectLockMode: retention.mode, ObjectLockRetainUntilDate: until }
    const command = new PutObjectCommand({
      ...{ ...this.#bucket(), Key: key, Body: body, ContentType: type },
      ...(replaces ? {} : { IfNoneMatch: '*' }),
      ...{ ChecksumAlgorithm: 'SHA256', ChecksumSHA256: sha256Base64(body) },
      ...lock,
      ...(encryption && { ServerSideEncryption: encryption.algorithm, SSEKMSKeyId: encryption.kmsKeyId }),
    })
    try {
      const { VersionId } = await this.#client.send(command, { abortSignal })
      return { isNew: true, versionId: VersionId ?? null }
    } catch (error) {
      const status = statusOf(error)
      if (status === 409 || status === 412) return { isNew: false, versionId: null }
      throw awsError(error, `did not store ${key} in bucket ${this.#options.bucket}`)
    }
  }

  /** The keys that begin with a prefix, in order, as a reader finds them who asks for no version. */
  async list(prefix: string, signal: AbortSignal): Promise<string[]> {
    const keys: string[] = []
    for await (const { Versions = [] } of this.#versionPages(prefix, signal)) {
      for (const { Key, IsLatest } of Versions) if (Key !== undefined && IsLatest) keys.push(Key)
    }
    return keys
  }

  /**
   * Removes an object; a bucket with versions keeps what it was.
   *
   * @returns false where it is locked, or the role may not remove it
   */
  async remove(key: string, abortSignal: AbortSignal): Promise<boolean> {
    if (this.#options.retention !== 'none') return false
    try {
      await this.#client.send(new DeleteObjectCommand({ ...this.#bucket(), Key: key }), { abortSignal })
      return true
    } catch (error) {
      if (statusOf(error) === 403) return false
      throw awsError(error, `did not remove ${key} from bucket ${this.#options.bucket}`)
    }
  }

  /** The version that was there before all others, whoever has put another over it. */
  async #firstVersion(key: string, abortSignal: AbortSignal): Promise<string | null> {
    let first: { id: string | undefined } | undefined
    for await (const page of this.#versionPages(key, abortSignal)) {
      // of one key the newest comes first
      for (const version of page.Versions ?? []) if (version.Key === key) first = { id: version.VersionId }
      if (page.NextKeyMarker !== key) break
    }
    if (!first) throw new AuditError('AUDIT_SINK_AWAY', `another process is storing ${key} just now.`)
    return versionIdOf(first.id)
  }

  #versionPages(prefix: string, abortSignal: AbortSignal) {
    return versionPages((from) => {
      const command = new ListObjectVersionsCommand({ ...this.#bucket(), Prefix: prefix, ...from })
      return this.#send(`did not list the versions of ${prefix}`, this.#client.send(command, { abortSignal }))
    })
  }

  #head(key: string, versionId: string | null, abortSignal: AbortSignal): Promise<HeadObjectCommandOutput> {
    const command = new HeadObjectCommand({ ...this.#version(key, versionId), ChecksumMode: 'ENABLED' })
    return this.#send(`did not confirm ${key}`, this.#client.send(command, { abortSignal }))
  }

  /** The bytes of an object, whatever they are. */
  async get(key: string, versionId: string | null, abortSignal: AbortSignal): Promise<Buffer> {
    const { Body } = await this.#send(
      `did not give ${key} back`,
      this.#client.send(new GetObjectCommand(this.#version(key, versionId)), { abortSignal }),
    )
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }

  #retainUntil(): Date | undefined {
    const { retention } = this.#options
    // the store keeps seconds
    return retention === 'none'
      ? undefined
      : new Date(Math.ceil(Date.now() / 1000) * 1000 + retention.days * day)
  }

  /** @param wanted of an object that was stored just now; undefined for one that an attempt before has stored */
  #confirmedRetention(
    key: string,
    { ObjectLockMode, ObjectLockRetainUntilDate }: HeadObjectCommandOutput,
    wanted: Date | undefined,
  ): ArchiveObject['retention'] {
    const { retention, bucket } = this.#options
    if (retention === 'none') return null
    const isKept = ObjectLockRetainUntilDate && ObjectLockRetainUntilDate >= (wanted ?? new Date())
    if (ObjectLockMode === retention.mode && isKept) {
      return { mode: ObjectLockMode, until: ObjectLockRetainUntilDate.toISOString() }
    }
    throw new AuditError(
      'AUDIT_SINK_REFUSED',
      `the store does not confirm Object Lock for ${key} in bucket ${bucket}: it has mode ${ObjectLockMode ?? 'none'} until ${ObjectLockRetainUntilDate?.toISOString() ?? 'never'}, and was asked for ${retention.mode}${wanted ? ` until ${wanted.toISOString()}` : ''}. The object is there and can be deleted. Grant s3:PutObjectRetention and s3:GetObjectRetention, or use a store that has Object Lock.`,
    )
  }

  #bucket(): { Bucket: string; ExpectedBucketOwner: string | undefined } {
    return { Bucket: this.#options.bucket, ExpectedBucketOwner: this.#options.owner }
  }

  #version(key: string, versionId: string | null) {
    return { ...this.#bucket(), Key: key, VersionId: versionId ?? undefined }
  }

  #send<Output>(failure: string, sent: Promise<Output>): Promise<Output> {
    return sent.catch((error: unknown) => {
      throw awsError(error, failure)
    })
  }
}
