import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A migration of the project, as `prisma migrate` finds it. */
export interface ProjectMigration {
  /** `20260304050607_add_users` */
  readonly folder: string
  readonly sql: string
}

/** Every migration of a folder in the order in which Prisma applies them; none where the folder is not there. */
export async function readMigrations(migrationsPath: string): Promise<ProjectMigration[]> {
  const entries = await readdir(migrationsPath, { withFileTypes: true }).catch(() => [])
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    folders.sort().map(async (folder) => ({
      folder,
      sql: (await readFile(join(migrationsPath, folder, 'migration.sql'), 'utf8').catch(() => '')).replaceAll(
        '\r\n',
        '\n',
      ),
    })),
  )
}

/**
 * Folders for new migrations, named as `prisma migrate dev` names them, a second apart so that they keep their order, and
 * after every one that is there.
 */
export function newMigrationFolders(
  existing: readonly ProjectMigration[],
  names: readonly string[],
  now: Date,
): string[] {
  const latest = Math.max(...existing.map(({ folder }) => timeOf(folder)), 0)
  const first = Math.max(+now, latest + 1000)
  return names.map((name, index) => {
    const time = new Date(first + index * 1000).toISOString()
    return `${time.replace(/\D/g, '').slice(0, 14)}_${name}`
  })
}

/** Milliseconds; 0 for a folder whose name does not begin with a time, such as `0_init`. */
function timeOf(folder: string): number {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?!\d)/.exec(folder) ?? []
  const [year = 0, month = 0, ...rest] = parts.map(Number)
  const time = parts.length === 0 ? 0 : Date.UTC(year, month - 1, ...rest)
  return time < Date.UTC(9999, 0) ? time : 0
}
