import { AuditError } from '../errors.ts'

/** DuckDB, an optional peer dependency: whoever has no archive needs none. */
export async function loadDuckdb(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api')
  } catch (cause) {
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      'The archive of the log is read and written by DuckDB, which is not installed: npm install @duckdb/node-api. Nothing was done.',
      { cause },
    )
  }
}
