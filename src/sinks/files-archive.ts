import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AuditError } from '../errors.ts'
import type { Archive, ArchivePart, ArchiveReading } from '../sink.ts'
import { storedLines } from './stored-lines.ts'

/** Where a batch begins, and what is kept: the file at hand, and how much of it is acknowledged. */
export interface FilePlace {
  readonly file: string
  readonly bytes: number
  /** UTC, `2026-01-02`. */
  readonly day: string
}

interface FoundFile {
  readonly name: string
  readonly size: number
}

/** The files of a directory, in the order of their names. */
export function filesArchive(directory: string): Archive {
  return {
    place: directory,
    read: (reading) => readFiles(directory, reading),
  }
}

async function* readFiles(directory: string, reading: ArchiveReading): AsyncGenerator<ArchivePart> {
  const files = await findFiles(directory, reading)
  const acknowledged = reading.acknowledged.state as FilePlace | null
  reportCut(files, acknowledged, reading)
  noteRestore(reading)
  const total = files.reduce((sum, { size }) => sum + size, 0)
  let before = 0
  for (const { name, size } of files) {
    before += size
    const kept = acknowledged?.file === name ? acknowledged.bytes : 0
    const isNewest = name === files.at(-1)?.name
    yield {
      place: name,
      lines: storedLines(fileBytes(join(directory, name), size), (text) => {
        // the batch at hand may be half written
        if (isNewest && size > kept) return
        reading.fault('changed', name, `${name} ends within a line: ${JSON.stringify(text.slice(0, 100))}.`)
      }),
      fraction: before / total,
    }
  }
}

async function findFiles(directory: string, reading: ArchiveReading): Promise<FoundFile[]> {
  const names = await readdir(directory).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw unreadable(directory, cause)
  })
  const isOurs = (name: string) => /^audit-\d{12,}-\d{8}T\d{6}Z\.ndjson$/.test(name)
  const others = names.filter((name) => !isOurs(name))
  const [other, ...more] = others.sort()
  if (other !== undefined) {
    const what =
      more.length === 0
        ? "1 more file that is not the sink's"
        : `${others.length} more files that are not the sink's, the first`
    reading.note(`${directory} has ${what}: ${other}.`)
  }
  return Promise.all(
    names
      .filter(isOurs)
      .sort()
      .map(async (name) => {
        const path = join(directory, name)
        const { size } = await stat(path).catch((cause: unknown) => {
          throw unreadable(path, cause)
        })
        return { name, size }
      }),
  )
}

/** The file that was written to last has to be there, at least as long as it was. */
function reportCut(files: readonly FoundFile[], kept: FilePlace | null, { fault }: ArchiveReading): void {
  if (!kept) return
  const found = files.find(({ name }) => name === kept.file)
  if (!found) {
    fault('missing', kept.file, `${kept.file}, which was written to last, is not there.`)
  } else if (found.size < kept.bytes) {
    fault(
      'changed',
      kept.file,
      `${kept.file} has ${found.size} bytes, and ${kept.bytes} were written to it: it was cut.`,
    )
  }
}

/** Nothing in a file tells what was written before a restore of the log. */
function noteRestore({ era, note }: ArchiveReading): void {
  if (era.number === 1) return
  note(
    `The log was restored or moved, and is in era ${era.number} since ${era.beganAt}. What was delivered between the backup and the restore is extra or doubled here: files can't tell that from what somebody has put there.`,
  )
}

/** A file as long as it was when reading began. */
async function* fileBytes(path: string, size: number): AsyncGenerator<Buffer> {
  if (size === 0) return
  try {
    for await (const bytes of createReadStream(path, { end: size - 1, highWaterMark: 1024 * 1024 }))
      yield bytes
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): AuditError {
  const said = cause instanceof Error ? cause.message : String(cause)
  return new AuditError('AUDIT_ARCHIVE_UNREADABLE', `${path} can't be read: ${said}.`, { cause })
}
