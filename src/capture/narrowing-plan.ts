import type { AuditedInput } from './audited-plan.ts'
import type { WriteStatement } from './parse/statement.ts'
import type { AuditedPlan } from './plan.ts'
import { narrowedTo } from './rewrite/referential-actions.ts'

/**
 * From how many edges on it pays to ask which of them lead to rows. The question costs a trip to the database and the planning
 * of one small query for each edge that leads on; every edge that it leaves out saves a large one, twice or more.
 */
const manyEdges = 12

/** PostgreSQL and its client keep statements by their text: so many of one statement may differ in what they reach. */
const keptPlans = 16

/**
 * The plan of a statement whose referential actions can reach many tables. It begins with the plan that has none of them,
 * which asks what rows there are; `further` has the plan with those.
 */
export function narrowingPlan(
  statement: WriteStatement,
  input: AuditedInput,
  planFor: (input: AuditedInput) => AuditedPlan,
): AuditedPlan {
  const { reach: whole } = input
  if (statement.kind === 'upsert' || !whole || whole.edges.length < manyEdges) return planFor(input)
  const plans = new Map<ReadonlySet<number>, AuditedPlan>()
  const planWith = (found: ReadonlySet<number>): AuditedPlan => {
    const [edges, replaced] = edgesOfPlan(found, [...plans.keys()])
    if (replaced) plans.delete(replaced)
    const plan = plans.get(edges) ?? {
      ...planFor({
        ...input,
        reach: narrowedTo(
          whole,
          whole.edges.filter((_, index) => edges.has(index)),
        ),
        wholeReach: whole,
      }),
      further: (answer) => planWith(new Set([...edges, ...answer.split(',').map(Number)])),
    }
    plans.set(edges, plan)
    return plan
  }
  return planWith(new Set())
}

/**
 * The edges of the plan to use where some were found: exactly these while there are few plans. Then a plan that has more will
 * do, or the largest one grows.
 *
 * @returns the edges, and those of the plan to replace, if any
 */
function edgesOfPlan(
  found: ReadonlySet<number>,
  known: readonly ReadonlySet<number>[],
): [ReadonlySet<number>, ReadonlySet<number>?] {
  const covering = known
    .filter((edges) => [...found].every((edge) => edges.has(edge)))
    .sort((a, b) => a.size - b.size)
  const [smallest] = covering
  if (smallest && (smallest.size === found.size || known.length >= keptPlans)) return [smallest]
  if (known.length < keptPlans) return [found]
  const largest = known.reduce((a, b) => (b.size > a.size ? b : a))
  return [new Set([...largest, ...found]), largest]
}
