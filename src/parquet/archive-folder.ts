import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { MonthArchive } from '../archive-contract.ts'
import { AuditError } from '../errors.ts'
import { sha256 } from '../sinks/digest.ts'
import { syncDirectory } from '../sinks/sync-directory.ts'
import { brokenArchive } from './broken.ts'
import { duckdbEngine } from './engine.ts'

/**
 * Keeps months of the log in a folder that `maintain` and all who ask the log can reach. Whoever may write there can also delete:
 * give it to a role of its own, on storage that keeps copies. Needs `@duckdb/node-api`.
 *
 * @param options.directory made where it is not there
 *
 * @example
 * ```ts
 * export default defineAudit({
 *   retention: { default: '7 years', archive: archiveFolder({ directory: '/var/archive/audit' }) },
 * })
 * ```
 */
export function archiveFolder(options: { directory: string }): MonthArchive {
  const directory = resolve(options.directory)
  const location = pathToFileURL(directory).href
  return {
    location,
    check: async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
        throw unwritableArchive(directory, cause)
      })
    },
    put: async ({ key, body }, signal) => {
      signal.throwIfAborted()
      const path = join(directory, key)
      const stored = { key, versionId: null, sha256: sha256(body), bytes: body.length, retention: null }
      if ((await digestOf(path)) !== stored.sha256) {
        await write(path, body).catch((cause: unknown) => {
          throw unwritableArchive(path, cause)
        })
      }
      return stored
    },
    fetch: async ({ key, sha256: wanted, bytes }, from) => {
      const path = join(directory, key)
      if (from === 'anywhere') {
        // a question trusts what was verified when it was archived, as far as it is there
        const size = await stat(path).then(
          (found) => found.size,
          () => undefined,
        )
        if (size === bytes) return path
        const found =
          size === undefined ? "it is gone, or can't be read" : `it has ${size} bytes, and had ${bytes}`
        throw brokenArchive(key, location, found)
      }
      const found = await digestOf(path)
      if (found === wanted) return path
      throw brokenArchive(
        key,
        location,
        found === undefined ? 'it is gone' : `its SHA-256 is ${found}, and was ${wanted}`,
      )
    },
    list: async (folder) => {
      const entries = await readdir(join(directory, folder), { recursive: true, withFileTypes: true }).catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return []
          throw error
        },
      )
      return entries
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => relative(directory, join(parentPath, name)).replaceAll(sep, '/'))
        .sort()
    },
    remove: async (key) => {
      const path = join(directory, key)
      const isRemoved = await rm(path, { force: true }).then(
        () => true,
        () => false,
      )
      if (isRemoved) await syncDirectory(dirname(path))
      return isRemoved
    },
    engine: async () => duckdbEngine,
  }
}

/** Whole, or not at all, whenever the process ends. */
async function write(path: string, body: Buffer): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const unfinished = join(folder, `.${randomUUID()}`)
  try {
    const file = await open(unfinished, 'wx', 0o600)
    try {
      await file.writeFile(body)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  } finally {
    await rm(unfinished, { force: true })
  }
  await syncDirectory(folder)
}

/** @returns undefined where there is no file */
async function digestOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return hash.digest('hex')
}

function unwritableArchive(path: string, cause: unknown): AuditError {
  const said = cause instanceof Error ? cause.message : String(cause)
  return new AuditError(
    'AUDIT_SINK_REFUSED',
    `The archive can't be written at ${path} (${said}). Nothing left the log.`,
    {
      cause,
    },
  )
}
