import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'

/** A file of the project that a command is about to write, or to add to. */
export interface PlannedFile {
  readonly path: string
  readonly text: string
  readonly append: boolean
  /** The text is the whole file, in the place of what is there. */
  readonly replaces?: true
}

/** Writes what was planned. A new file never takes the place of one that is there, unless that was planned. */
export async function writeFiles(files: readonly PlannedFile[]): Promise<void> {
  for (const { path, text, append, replaces } of files) {
    await mkdir(dirname(path), { recursive: true })
    if (append) await appendFile(path, text)
    else await writeFile(path, text, { flag: replaces ? 'w' : 'wx' })
  }
}

/** A line for each file; with `contents`, what would be written word for word, too. */
export function describeFiles(
  files: readonly PlannedFile[],
  directory: string,
  { contents }: { contents: boolean },
): string {
  return files
    .map(({ path, text, append, replaces }) => {
      const line = `${append ? 'append to' : replaces ? 'change' : 'create'} ${relative(directory, path)}`
      return contents ? `--- ${line}\n${text.replace(/^\n+/, '')}` : line
    })
    .join('\n')
}

/** Whether a planned file is a migration. */
export function isMigration({ path }: PlannedFile): boolean {
  return path.endsWith('migration.sql')
}
