import { internalSchema } from '../log/internal-schema.ts'
import type { FoundRefusal, Refusal, SealTrigger } from '../log/seal-triggers.ts'
import type { TableName } from '../postgres/identifiers.ts'
import { type Check, missing, ok } from './check.ts'

/**
 * Whether a trigger refuses what it is to refuse, in every session.
 *
 * @param name what it is called in the checklist
 * @param refused what it refuses every time
 */
export function checkRefusal(
  name: string,
  refused: string,
  wanted: Refusal,
  found: FoundRefusal | undefined,
): Check {
  if (!found) return missing(`trigger ${name} is not there`)
  if (found.timing !== wanted.timing || found.calls !== wanted.calls) {
    return missing(`trigger ${name} does not refuse every ${refused}`)
  }
  if (found.enabled === 'D') return missing(`trigger ${name} is disabled`)
  if (found.enabled !== 'A') {
    return missing(
      `trigger ${name} is enabled, but not ALWAYS: session_replication_role = replica passes it by`,
    )
  }
  return ok(`trigger ${name}, enabled ALWAYS`)
}

/** Whether seals are as protected as the log: each trigger that is not as it should be, or that all are. */
export function sealTriggerChecks(triggers: readonly SealTrigger[], log: TableName): Check[] {
  if (triggers.length === 0) return []
  const wrong = triggers
    .map(({ name, table, wanted, found }) =>
      checkRefusal(
        `${name} on ${internalSchema(log)}.${table}`,
        name.slice('refuse_'.length).replace('_', ' '),
        ...[wanted, found],
      ),
    )
    .filter(({ state }) => state !== 'ok')
  return wrong.length > 0 ? wrong : [ok(`${triggers.length} triggers on seals, enabled ALWAYS`)]
}
