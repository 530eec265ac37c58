import { constants } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { AuditError } from '../errors.ts'
import { columnOfLine, firstLine } from '../log/ndjson.ts'
import type { Sink, SinkBatch, SinkLimits } from '../sink.ts'
import { type FilePlace, filesArchive } from './files-archive.ts'
import { syncDirectory } from './sync-directory.ts'

/** Where files are written, and how large they become. */
export interface FilesOptions {
  /** Made where it is not there. All processes that ship to this sink need the same one. */
  directory: string
  /** Default `'files'`. */
  name?: string
  /** The size in bytes after which the next batch begins a new file. Default 64 MiB. */
  maxBytes?: number
  /** How much one batch holds. Default 10,000 entries and 8 MiB. */
  limits?: SinkLimits
}

/**
 * Writes the log to files of NDJSON, a line an entry. A new file begins with each day (UTC) and after `maxBytes`. Its name
 * has the number of its first batch, by which names sort, and the time of its first entry. Files are on disk (`fsync`) before
 * a batch counts as stored, and only the owner may read them. Every entry is there once; after a restore of the database those of
 * its last minutes may be there twice. The newest file is still written to: whoever moves files away leaves it.
 *
 * @example
 * ```ts
 * export default defineAudit({ sinks: [files({ directory: '/var/log/audit' })] })
 * ```
 */
export function files(options: FilesOptions): Sink {
  const { name = 'files', maxBytes = 64 * 1024 * 1024, limits } = options
  const directory = resolve(options.directory)
  return {
    name,
    limits: { entries: 10_000, ...limits },
    archive: filesArchive(directory),
    open: async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
        throw unwritable(`the directory ${directory} can't be made`, cause)
      })
    },
    write: async (batch) => {
      const text = batch.lines
      for (const place of placesFor(batch, maxBytes)) {
        const isStored = await writeAt(directory, place, text, batch.signal)
        if (isStored) return { ...place, bytes: place.bytes + text.length } satisfies FilePlace
      }
      throw unwritable(
        `${directory} has other files of the same names: of another log, or of this one before its place was reset. Nothing was overwritten. Give the sink a directory of its own`,
      )
    },
  }
}

/**
 * The end of the file at hand, or else a new file. They follow from the batch and from what was kept alone, so that another
 * attempt writes to the same place.
 */
function placesFor({ lines, number, state }: SinkBatch, maxBytes: number): FilePlace[] {
  const kept = state as FilePlace | null
  const timestamp = columnOfLine(firstLine(lines), 'timestamp')
  const day = timestamp.slice(0, 10)
  const time = timestamp.replaceAll(/[-:]|\..*/g, '')
  const file = `audit-${String(number).padStart(12, '0')}-${time}Z.ndjson`
  const next = { file, bytes: 0, day: kept && day < kept.day ? kept.day : day }
  // what a transaction that was long open wrote is of an earlier day, and goes on in the file at hand
  return kept && kept.bytes < maxBytes && day <= kept.day ? [kept, next] : [next]
}

/**
 * Writes at a place that only this batch has: a process that was killed has left there the beginning of the same text. Nothing
 * is cut off, as behind it may be what another process has written since.
 *
 * @returns false where something else is there, as after a restore of the database
 */
async function writeAt(
  directory: string,
  { file, bytes }: FilePlace,
  text: Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  const path = join(directory, file)
  const handle = await openFile(path, bytes === 0)
  try {
    const { size } = await handle.stat()
    if (size < bytes) {
      throw unwritable(
        `${path} has ${size} bytes, and ${bytes} were written to it: it was cut, or is not the file that it was. Nothing was written. Bring it back`,
      )
    }
    if (!(await hasAt(handle, bytes, text.subarray(0, size - bytes)))) return false
    signal.throwIfAborted()
    if (size < bytes + text.length) await writeWhole(handle, text, bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  if (bytes === 0) await syncDirectory(directory)
  return true
}

async function openFile(path: string, isNew: boolean): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW = 0 } = constants
  try {
    return await open(path, O_RDWR | O_NOFOLLOW | (isNew ? O_CREAT : 0), 0o600)
  } catch (cause) {
    throw unwritable(
      isNew ? `${path} can't be made` : `${path}, which is still written to, can't be opened. Bring it back`,
      cause,
    )
  }
}

async function hasAt(handle: FileHandle, at: number, text: Uint8Array): Promise<boolean> {
  const found = Buffer.alloc(text.length)
  const { bytesRead } = await handle.read(found, 0, text.length, at)
  return bytesRead === text.length && found.equals(text)
}

async function writeWhole(handle: FileHandle, text: Uint8Array, at: number): Promise<void> {
  let written = 0
  while (written < text.length) {
    const { bytesWritten } = await handle.write(text, written, text.length - written, at + written)
    written += bytesWritten
  }
}

function unwritable(reason: string, cause?: unknown): AuditError {
  const said = cause instanceof Error ? ` (${cause.message})` : ''
  return new AuditError('AUDIT_SINK_REFUSED', `${reason}${said}.`, { cause })
}
