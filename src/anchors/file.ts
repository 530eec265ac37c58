import { constants } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Anchor } from '../anchor.ts'
import { notesIn } from '../seal/notes-in.ts'
import { syncDirectory } from '../sinks/sync-directory.ts'

/** Which file checkpoints are added to. */
export interface FileAnchorOptions {
  /** Made where it is not there. On a disk that the owner of the database can't write to. */
  path: string
  /** Default `'file'`. */
  name?: string
}

/**
 * Adds each checkpoint to a file, one signed note after the other, each with an empty line behind it. It is on disk (`fsync`)
 * before it counts as published. What is there is never changed, so the file may be one that can only be appended to (`chattr +a`).
 *
 * @example
 * ```ts
 * export default defineAudit({
 *   seal: { key: { environment: 'AUDIT_SEAL_KEY' }, anchors: [fileAnchor({ path: '/mnt/audit-anchor/checkpoints' })] },
 * })
 * ```
 */
export function fileAnchor({ path: given, name = 'file' }: FileAnchorOptions): Anchor {
  const path = resolve(given)
  return {
    name,
    publish: async (note) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW = 0 } = constants
      const file = await open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
      try {
        const { size } = await file.stat()
        const separator = size === 0 || (await endOf(file, size)) === '\n\n' ? '' : '\n\n'
        await file.appendFile(`${separator}${note}\n`)
        await file.sync()
        if (size === 0) await syncDirectory(dirname(path))
      } finally {
        await file.close()
      }
    },
    read: () => readNotes(path),
  }
}

async function* readNotes(path: string): AsyncGenerator<string> {
  const file = await open(path, 'r')
  try {
    yield* notesIn(file.readLines({ encoding: 'utf8', autoClose: false }))
  } finally {
    await file.close()
  }
}

/** The last two bytes. */
async function endOf(file: FileHandle, size: number): Promise<string> {
  const bytes = Buffer.alloc(2)
  const { bytesRead } = await file.read(bytes, 0, 2, Math.max(0, size - 2))
  return bytes.toString('latin1', 0, bytesRead)
}
