import type { Syntax } from './syntax.ts'

/** After these, what came before is kept or undone, and what follows is not bound to it. */
const ends = new Set([
  'TRANS_STMT_COMMIT',
  'TRANS_STMT_ROLLBACK',
  'TRANS_STMT_ROLLBACK_TO',
  'TRANS_STMT_PREPARE',
])

/**
 * Cuts a text whose statements control their transaction: before the first statement that writes, and before the first one
 * after each end of a transaction, or rollback to a savepoint. Undefined for a text that has no such statements.
 *
 * @param text what was parsed
 * @param writes whether the statement of this place writes
 */
export function transactionParts(
  syntax: Syntax | undefined,
  text: string,
  writes: (statement: Syntax['statements'][number]) => boolean,
): readonly string[] | undefined {
  const { statements = [] } = syntax ?? {}
  if (statements.length < 2 || !statements.some(({ type }) => type === 'TransactionStmt')) return undefined
  const cuts: number[] = []
  let isCovered = false
  for (const statement of statements) {
    if (statement.type === 'TransactionStmt') {
      if (ends.has(String(statement.node.kind))) isCovered = false
    } else if (!isCovered && writes(statement)) {
      cuts.push(statement.start)
      isCovered = true
    }
  }
  const bytes = Buffer.from(text) // the parser counts UTF-8 bytes
  return [0, ...cuts].map((start, index) => bytes.subarray(start, cuts[index]).toString())
}
