import type { WriteStatement } from '../parse/statement.ts'
import type { RewriteInput, Rewritten } from './audited-statement.ts'
import { rewriteDelete } from './delete.ts'
import { rewriteInsert } from './insert.ts'
import { rewriteUpdate } from './update.ts'
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
