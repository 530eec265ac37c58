import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory, type SqlQueryable } from '@prisma/driver-adapter-utils'
// Prisma's own migration engine as WebAssembly: what `prisma migrate` runs, without a binary to download.
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'

type Engine = bindings.SchemaEngine
type DiffTarget = bindings.DiffTarget

const filters = { externalTables: [], externalEnums: [] }

let loaded: Promise<void> | undefined

async function load(): Promise<void> {
  // The package's entry imports the .wasm file as a module, which Node does only behind a flag.
  const require = createRequire(import.meta.url)
  const directory = dirname(require.resolve('@prisma/schema-engine-wasm'))
  const bytes = await readFile(join(directory, 'schema_engine_bg.wasm'))
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: {
      instantiate(
        bytes: Uint8Array,
        imports: unknown,
      ): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>
    }
  }
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': bindings })
  const glue = bindings as unknown as { __wbg_set_wasm(exports: unknown): void }
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
}

/** `"char"` columns of the catalog that the engine reads and the adapter can't name: served as characters. */
class CatalogReadingPg extends PrismaPg {
  readonly #url: string

  constructor(pool: pg.Pool, url: string) {
    super(pool)
    this.#url = url
  }

  override async connect() {
    return servingCharacters(await super.connect())
  }

  override async connectToShadowDb() {
    const main = await super.connect()
    const url = new URL(this.#url)
    url.pathname = `prisma_migrate_shadow_db_${randomUUID()}`
    await main.executeScript(`CREATE DATABASE "${url.pathname.slice(1)}"`)
    const shadow = servingCharacters(await new PrismaPg({ connectionString: url.href }).connect())
    const dispose = shadow.dispose.bind(shadow)
    shadow.dispose = async () => {
      await dispose()
      await main.executeScript(`DROP DATABASE "${url.pathname.slice(1)}"`)
    }
    return shadow
  }
}

function servingCharacters<Adapter extends SqlQueryable>(adapter: Adapter): Adapter {
  const queryRaw = adapter.queryRaw.bind(adapter)
  const characterColumns = ['constraint_type', 'confdeltype', 'confupdtype']
  adapter.queryRaw = async (query) => {
    const sql = query.sql
      .replace('constr.contype AS', 'constr.contype::text AS')
      .replace('con.confdeltype,', 'con.confdeltype::text,')
      .replace('con.confupdtype,', 'con.confupdtype::text,')
    const result = await queryRaw({ ...query, sql })
    const columnTypes = result.columnTypes.map((type, index) =>
      characterColumns.includes(result.columnNames[index] ?? '') ? 6 : type,
    )
    return { ...result, columnTypes }
  }
  return adapter
}

/** Runs `work` with an engine on the database, and closes the engine's connections. */
export async function withEngine<T>(
  url: string,
  datamodels: [path: string, text: string][],
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  loaded ??= load()
  await loaded
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  try {
    const factory = bindMigrationAwareSqlAdapterFactory(new CatalogReadingPg(pool, url))
    return await work(await bindings.SchemaEngine.new({ datamodels }, () => {}, factory))
  } finally {
    await pool.end()
  }
}

/**
 * Applies every migration of a `migrations` folder in order, as `prisma migrate deploy` does; gives their names.
 *
 * @param isIncluded leaves out migrations by their names
 */
export async function applyMigrations(
  url: string,
  migrationsFolder: string,
  isIncluded: (name: string) => boolean = () => true,
): Promise<string[]> {
  const entries = await readdir(migrationsFolder, { withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .filter(isIncluded)
    .sort()
  const migrationDirectories = await Promise.all(
    names.map(async (path) => {
      const value = await readFile(join(migrationsFolder, path, 'migration.sql'), 'utf8')
      return { path, migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value } } }
    }),
  )
  const migrationsList = {
    baseDir: migrationsFolder,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"' },
    shadowDbInitScript: '',
    migrationDirectories,
  }
  const schema = 'datasource db {\n  provider = "postgresql"\n}'
  return withEngine(url, [['schema.prisma', schema]], async (engine) => {
    return (await engine.applyMigrations({ filters, migrationsList })).appliedMigrationNames
  })
}

/** The SQL that creates everything in a Prisma schema, as `prisma migrate diff --from-empty --script` prints it. */
export async function createScript(url: string, schema: string): Promise<string> {
  return diff(url, { tag: 'empty' }, schema)
}

/** The SQL that would bring the database at `url` to the schema; `-- This is an empty migration.` without drift. */
export async function driftScript(url: string, schema: string): Promise<string> {
  const files = [{ path: 'schema.prisma', content: schema }]
  return diff(url, { tag: 'schemaDatasource', files, configDir: '/' }, schema)
}

function diff(url: string, from: DiffTarget, schema: string): Promise<string> {
  const to: DiffTarget = { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: schema }] }
  return withEngine(url, [['schema.prisma', schema]], async (engine) => {
    return (await engine.diff({ from, to, script: true, exitCode: null, filters })).stdout ?? ''
  })
}
