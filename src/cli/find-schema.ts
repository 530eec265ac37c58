import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { AuditError } from '../errors.ts'
import { loadPrismaConfig } from './prisma-config.ts'

/** A Prisma schema on disk: one file, or a folder of them. */
export interface PrismaProject {
  /** The schema's file, or its folder. */
  readonly schemaPath: string
  readonly isFolder: boolean
  readonly files: readonly { readonly path: string; readonly text: string }[]
  readonly migrationsPath: string
}

/**
 * Where Prisma 7 looks when nothing is configured, in its order, and last the usual place for a schema folder,
 * which Prisma wants to be told. Prisma 7 no longer reads `prisma.schema` in package.json.
 */
const places = ['schema.prisma', 'prisma/schema.prisma', 'prisma/schema']

/**
 * Finds the schema and the migrations folder of the project in `directory` the way Prisma does.
 *
 * @param schema the path that the user gave, over the one in `prisma.config.ts`
 * @throws AuditError `AUDIT_CLI` when there is no schema.
 */
export async function findProject(directory: string, schema?: string): Promise<PrismaProject> {
  const config = await loadPrismaConfig(directory)
  const named = schema === undefined ? config.schema : resolve(directory, schema)
  for (const schemaPath of named === undefined ? places.map((place) => join(directory, place)) : [named]) {
    const found = await stat(schemaPath).catch(() => undefined)
    if (!found) continue
    const isFolder = found.isDirectory()
    const paths = isFolder ? await schemaFiles(schemaPath) : [schemaPath]
    if (paths.length === 0) continue
    return {
      schemaPath,
      isFolder,
      files: await Promise.all(paths.map(async (path) => ({ path, text: await readFile(path, 'utf8') }))),
      migrationsPath:
        config.migrations?.path ?? join(isFolder ? schemaPath : dirname(schemaPath), 'migrations'),
    }
  }
  const looked = named === undefined ? places.join(', ') : relative(directory, named)
  throw new AuditError(
    'AUDIT_CLI',
    `No Prisma schema in ${directory} (looked at ${looked}). Run this in your project's folder, or name the schema: init --schema path`,
  )
}

async function schemaFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true })
  return entries
    .filter((entry) => entry.endsWith('.prisma'))
    .sort()
    .map((entry) => join(folder, entry))
}
