import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

// The package's packageRoot is two levels up, both from src/cli and from dist/cli.
const packageRoot = new URL('../../', import.meta.url)

const files = {
  schema: 'prisma/schema.prisma',
  tableMigration: 'prisma/migrations/20260101000000_audit_log/migration.sql',
  functionsMigration: 'prisma/migrations/20260201000000_audit_log_triggers/migration.sql',
  readersMigration: 'prisma/migrations/20260401000000_audit_log_readers/migration.sql',
  sealsMigration: 'prisma/migrations/20260501000000_audit_log_seals/migration.sql',
  partitionsMigration: 'prisma/migrations/20260601000000_audit_log_partitions/migration.sql',
  erasureMigration: 'prisma/migrations/20260701000000_audit_log_erasure/migration.sql',
  migrationLock: 'prisma/migrations/migration_lock.toml',
  manifest: 'package.json',
}

/** Reads a file that comes with the package. */
export function readShipped(file: keyof typeof files): Promise<string> {
  return readFile(fileURLToPath(new URL(files[file], packageRoot)), 'utf8')
}

/** The installed version of this package. */
export async function packageVersion(): Promise<string> {
  return (JSON.parse(await readShipped('manifest')) as { version: string }).version
}
