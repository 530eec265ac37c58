import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { chown, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '../support/database.ts'

/** A file system of a few megabytes, and the tablespace `small` on it. */
export interface SmallDisk {
  /** Fills what is free but for so many kilobytes. */
  fill(kilobytes: number): void
  /** Makes room again. */
  free(): void
  /** Drops the tablespace, which must be empty, and the file system. */
  remove(): Promise<void>
}

const megabytes = 16

/** @returns undefined where this process may not mount file systems */
export async function mountSmallDisk(database: Database): Promise<SmallDisk | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'audit-small-disk-'))
  const unmount = () => {
    execFileSync('umount', [directory])
    rmSync(directory, { recursive: true })
  }
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', directory], {
      stdio: 'ignore',
    })
  } catch {
    rmSync(directory, { recursive: true })
    return undefined
  }
  const tablespace = join(directory, 'tablespace')
  await mkdir(tablespace)
  const [row] = await database.sql<{ data_directory: string }>('SHOW data_directory')
  const { uid, gid } = statSync(row?.data_directory ?? '')
  await chown(tablespace, uid, gid)
  await database.sql(`CREATE TABLESPACE small LOCATION '${tablespace}'`)
  const ballast = join(directory, 'ballast')
  return {
    fill: (kilobytes) => {
      const columns = execFileSync('df', ['--output=avail', '-k', directory]).toString().split('\n')
      writeFileSync(ballast, Buffer.alloc(Math.max(0, Number(columns[1]) - kilobytes) * 1024))
    },
    free: () => rmSync(ballast),
    remove: async () => {
      await database.sql('DROP TABLESPACE small')
      unmount()
    },
  }
}
