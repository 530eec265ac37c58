import { type PlainWrite, withCondition } from '../parse/statement.ts'

/** A statement recorded by triggers, with the call that tells them who acts. */
export interface CarryingStatement {
  readonly sql: string
  /** How many columns at the end of the result are ours. */
  readonly surplus: number
}

/**
 * Adds the call to a statement, and nothing else. In the condition of an UPDATE or DELETE it is evaluated before any
 * row, so what BEFORE triggers write has the context, too. An INSERT has no condition and returns it. So does a
 * statement with WHERE CURRENT OF, which allows no other condition.
 */
export function carryContext(statement: PlainWrite, call: string, isCursor: boolean): CarryingStatement {
  const given = statement.returning && [statement.returning.text]
  if ((statement.kind === 'update' || statement.kind === 'delete') && !isCursor) {
    const { body } = withCondition(statement, call)
    return { sql: given ? `${body}\nRETURNING ${given}` : body, surplus: 0 }
  }
  return { sql: `${statement.body}\nRETURNING ${[...(given ?? []), call].join(', ')}`, surplus: 1 }
}
