import { createWriteStream, type WriteStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AuditError } from '../errors.ts'
import { UsageError } from './usage.ts'

/** A file that an export writes to. */
export interface ExportFile {
  readonly stream: WriteStream
  /** Resolves when all is on the disk. */
  close(): Promise<void>
  /** After an error: leaves no empty file behind, which would be in the way of the next try. */
  abandon(): Promise<void>
}

/**
 * Opens the file of `--output`. One that is there already is left alone, unless it is to be overwritten.
 *
 * @param mode `continue`: an interrupted export goes on behind what is there
 * @throws UsageError when there is a file already, or no such folder; AuditError `AUDIT_CLI` when it can't be opened otherwise
 */
export async function openExportFile(
  path: string,
  mode: 'new' | 'overwrite' | 'continue',
): Promise<ExportFile> {
  const flags = { new: 'wx', overwrite: 'w', continue: 'a' }[mode]
  const handle = await open(path, flags).catch((cause: NodeJS.ErrnoException) => {
    throw unusable(path, cause)
  })
  const stream = createWriteStream('', { fd: handle, encoding: 'utf8' })
  const close = () =>
    new Promise<void>((resolve, reject) => {
      stream.once('error', reject)
      stream.end(resolve)
    })
  return {
    stream,
    close,
    async abandon() {
      await close()
      if (mode !== 'continue' && stream.bytesWritten === 0) await rm(path, { force: true })
    },
  }
}

function unusable(path: string, cause: NodeJS.ErrnoException): AuditError {
  const file = JSON.stringify(path)
  switch (cause.code) {
    case 'EEXIST':
      return new UsageError(
        `--output: ${file} is there already. Overwrite it with --force, or name another file.`,
      )
    case 'ENOENT':
      return new UsageError(
        `--output: the folder ${JSON.stringify(dirname(path))} is not there. Create it, or name a file elsewhere.`,
      )
    case 'EISDIR':
      return new UsageError(`--output: ${file} is a folder. Name a file in it.`)
    default:
      return new AuditError(
        'AUDIT_CLI',
        `--output: ${file} can't be written: ${cause.code ?? cause.message}.`,
        {
          cause,
        },
      )
  }
}
