import { readdir, readFile } from 'node:fs/promises'

const folders = (await readdir('prisma/migrations', { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort()

/** The migrations that make the log, as the package ships them, one after the other. */
export const migration = (
  await Promise.all(folders.map((name) => readFile(`prisma/migrations/${name}/migration.sql`, 'utf8')))
).join('\n')
