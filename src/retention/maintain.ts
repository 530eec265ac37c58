import { createPartitions, forgetWrittenIds } from './create-partitions.ts'
import type { MaintenanceAction, MaintenanceOptions, MaintenanceStep } from './maintenance.ts'
import type { OwnedLog } from './owned-log.ts'
import { retireMonths } from './retire-months.ts'

/** In their order. */
const steps: readonly MaintenanceStep[] = [createPartitions, forgetWrittenIds, retireMonths]

/**
 * Does for a log what has to be done from time to time.
 *
 * @throws AuditError `AUDIT_NOT_MAINTAINED`, `AUDIT_TABLE_MISSING` or `AUDIT_UNREADABLE`
 */
export async function maintainLog(log: OwnedLog, options: MaintenanceOptions): Promise<MaintenanceAction[]> {
  const actions: MaintenanceAction[] = []
  // a month that is made for an import would leave before it, as empty as it is
  const today = options.since === undefined ? steps : [createPartitions]
  for (const step of today) {
    options.signal?.throwIfAborted()
    actions.push(...(await step(log, options)))
  }
  return actions
}
