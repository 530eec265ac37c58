import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import type { ArchiveObject, MonthArchive } from '../archive-contract.ts'
import { AuditError } from '../errors.ts'
import { sha256 } from '../sinks/digest.ts'
import type { S3Options } from '../sinks/s3-options.ts'
import { S3Store } from '../sinks/s3-store.ts'
import { brokenArchive } from './broken.ts'
import { duckdbEngine } from './engine.ts'

/** Where months go, and for how long nobody can delete them. */
export interface ArchiveS3Options extends Omit<S3Options, 'name' | 'limits'> {
  /** Files that were read are kept here, and checked each time. Default: a folder of the system's for temporary files. */
  cache?: string
}

/**
 * Keeps months of the log in S3, or a store that speaks its language, under Object Lock. A question fetches the files that it
 * needs, once. Needs `@aws-sdk/client-s3` and `@duckdb/node-api`.
 *
 * @example
 * ```ts
 * const archive = archiveS3({ bucket: 'acme-audit-archive', retention: { mode: 'COMPLIANCE', days: 2555 } })
 * export default defineAudit({ retention: { default: '1 year', archive } })
 * ```
 */
export function archiveS3(options: ArchiveS3Options): MonthArchive {
  const { bucket, prefix = '' } = options
  const store = new S3Store(new S3Client(options.client ?? {}), options)
  const cache = resolve(options.cache ?? join(tmpdir(), 'prisma-extension-audit-archive'))
  const location = `s3://${bucket}/${prefix}`

  async function read({ key, versionId, sha256: wanted }: ArchiveObject, signal: AbortSignal) {
    const bytes = await store.get(`${prefix}${key}`, versionId, signal)
    const found = sha256(bytes)
    if (found === wanted) return bytes
    throw brokenArchive(key, location, `its SHA-256 is ${found}, and was ${wanted}`)
  }

  return {
    location,
    check: (signal) => store.check(signal),
    put: async ({ key, body, type }, signal) => {
      const object = { key: `${prefix}${key}`, body, type }
      const stored = await store.put(object, signal).catch((error: unknown) => {
        // what an attempt that went wrong has left, and nobody relies on
        const isOther = error instanceof AuditError && error.code === 'AUDIT_SINK_REFUSED'
        if (isOther) return store.put({ ...object, replaces: true }, signal)
        throw error
      })
      return { ...stored, key }
    },
    fetch: async (object, from, signal) => {
      const path = join(cache, `${object.sha256}.parquet`)
      const kept = from === 'store' ? undefined : await readFile(path).catch(() => undefined)
      if (kept && sha256(kept) === object.sha256) return path
      const bytes = await read(object, signal)
      await mkdir(cache, { recursive: true, mode: 0o700 })
      const unfinished = `${path}.${process.pid}.${performance.now()}`
      await writeFile(unfinished, bytes, { mode: 0o600 })
      await rename(unfinished, path)
      return path
    },
    list: async (folder, signal) => {
      const keys = await store.list(`${prefix}${folder}/`, signal)
      return keys.map((key) => key.slice(prefix.length))
    },
    remove: (key, signal) => store.remove(`${prefix}${key}`, signal),
    engine: async () => duckdbEngine,
  }
}
