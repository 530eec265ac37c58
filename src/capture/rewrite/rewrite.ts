import type { Server } from '../../postgres/server.ts'
import type { WriteStatement } from '../parse/statement.ts'
import type { UncapturableReason } from '../parse/uncapturable.ts'
import { type RewriteInput, type Rewritten, returnsOtherRows, type Want } from './audited-statement.ts'
import { rewriteDelete } from './delete.ts'
import { rewriteInsert } from './insert.ts'
import type { Reach } from './referential-actions.ts'
import type { TrackedTable } from './tracked-table.ts'
import { joinsOldRows, rewriteUpdate, updateChoosesAgain } from './update.ts'
import { rewriteUpsert } from './upsert.ts'

/**
 * Turns a write into one statement that makes the change and its entries. On PostgreSQL 18 an update of a few rows
 * becomes, in essence,
 *
 * ```sql
 * UPDATE … RETURNING WITH (OLD AS o, NEW AS n) <its own columns>, audit_logs_record(<id>, <before, after, changed>, $5)
 * ```
 *
 * and one of many rows
 *
 * ```sql
 * WITH op AS (UPDATE … RETURNING WITH (OLD AS o, NEW AS n) <its own columns>, <id>, <details>),
 *      log AS (INSERT INTO audit_logs … SELECT … FROM op WHERE details IS NOT NULL)
 * SELECT <its own columns> FROM op
 * ```
 *
 * `test/capture/statements` has each shape in full.
 */
export function rewrite(statement: WriteStatement, input: RewriteInput): Rewritten {
  switch (statement.kind) {
    case 'insert':
      return rewriteInsert(statement, input)
    case 'upsert':
      return rewriteUpsert(statement, input)
    case 'update':
      return rewriteUpdate(statement, input)
    case 'delete':
      return rewriteDelete(statement, input)
  }
}

/** Why a statement can't be rewritten, which another statement on another table could. */
export function hurdleTo(
  statement: WriteStatement,
  { table, link }: TrackedTable,
  reach: Reach | undefined,
  want: Want,
  server: Server,
): UncapturableReason | undefined {
  if (statement.kind === 'insert' || statement.kind === 'upsert') return undefined
  const choosesAgain =
    statement.kind === 'update'
      ? updateChoosesAgain(statement, table, reach, server)
      : (reach !== undefined || table.beforeDelete) &&
        statement.readsMore &&
        statement.choice !== 'plain' &&
        statement.returning !== undefined
  if (choosesAgain) return 'unrepeatable'
  if (!returnsOtherRows(statement)) return undefined
  const isReturned = want === 'rows' && (reach !== undefined || link !== undefined)
  const wouldGrow = statement.kind === 'update' && joinsOldRows(table, server)
  return isReturned || (wouldGrow && hasOpenStar(statement)) ? 'returning-star' : undefined
}

/** Whether RETURNING has a star that would include whatever else the statement joins. */
function hasOpenStar({ returning }: WriteStatement): boolean {
  const { outputs = [], joined } = returning ?? {}
  return !joined && outputs.some((output) => 'star' in output && output.star === undefined)
}
