import type { FoldedStatement } from './parse/fold.ts'
import { renumberFolded } from './parse/parameters.ts'
import { withoutValues } from './parse/without-values.ts'
import type { AuditedPlan, Plan } from './plan.ts'
import type { Want } from './rewrite/audited-statement.ts'
import type { EntryShape } from './rewrite/entry-parameters.ts'

/** One plan serves all statements that differ only in the length of lists and in comments at the end. */
export function planKey(
  { text }: FoldedStatement,
  parameterCount: number,
  want: Want,
  shape: EntryShape,
  written?: number,
): string {
  return `${written ?? ''} ${want} ${parameterCount}${shape.operation ? 'o' : ''}${shape.metadata ? 'm' : ''}${shape.revertOf ? 'r' : ''} ${text}`
}

/** The plan of a folded statement, unfolded. */
export function unfolded(plan: Plan, sql: string, folded: FoldedStatement): Plan {
  const { expand, trailer, isFolded } = folded
  if (trailer === '' && !isFolded) return plan
  if (plan.kind === 'pass') return plan
  if (plan.kind === 'uncapturable') {
    const parts = plan.parts?.map((part) => expand(part))
    return { ...plan, parts, statement: isFolded ? withoutValues(sql) : plan.statement }
  }
  if (plan.kind === 'carried') return { ...plan, sql: expand(plan.sql) + trailer }
  return unfoldedAudit(plan, sql, folded)
}

function unfoldedAudit(plan: AuditedPlan, sql: string, folded: FoldedStatement): AuditedPlan {
  const { expand, trailer } = folded
  const { lock, restricted, further } = plan
  return {
    ...plan,
    restricted: restricted && { ...restricted, plan: unfolded(restricted.plan, sql, folded) },
    ...(further && { further: (answer) => unfoldedAudit(further(answer), sql, folded) }),
    sql: expand(plan.sql) + trailer,
    ...(lock && {
      lock: {
        ...lock,
        rows: renumberFolded(lock.rows, expand),
        ...(lock.ask && { ask: renumberFolded(lock.ask, expand) }),
        ...(lock.reached && { reached: renumberFolded(lock.reached, expand) }),
      },
    }),
  }
}
