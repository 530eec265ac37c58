import type { AuditError } from '../errors.ts'
import { resourceOf } from '../models/data-model.ts'
import { parseFilter, type SearchFilter } from '../search/filter.ts'
import { flagOption, textOption } from './command.ts'
import { UsageError } from './usage.ts'

/** The options of every command that reads entries. */
export const filterOptions = {
  table: textOption,
  action: { type: 'string', multiple: true },
  actor: textOption,
  resource: textOption,
  outcome: textOption,
  changed: { type: 'string', multiple: true },
  request: textOption,
  organization: textOption,
  transaction: textOption,
  from: textOption,
  to: textOption,
  json: flagOption,
} as const

interface FilterValues {
  action?: string[] | undefined
  actor?: string | undefined
  resource?: string | undefined
  outcome?: string | undefined
  changed?: string[] | undefined
  request?: string | undefined
  organization?: string | undefined
  transaction?: string | undefined
  from?: string | undefined
  to?: string | undefined
}

/**
 * A filter for `search` of what was given on the command line; `--resource order:42` names a record.
 *
 * @throws UsageError when it can't be used
 */
export function filterOf(values: FilterValues): SearchFilter {
  const [type, ...id] = values.resource?.split(':') ?? []
  const filter = {
    action: values.action,
    actor: values.actor,
    resource:
      type === undefined
        ? undefined
        : { type: resourceOf(type), ...(id.length > 0 ? { id: id.join(':') } : {}) },
    outcome: values.outcome as SearchFilter['outcome'],
    changed: values.changed,
    requestId: values.request,
    organizationId: values.organization,
    transactionId: values.transaction,
    from: values.from,
    to: values.to,
  }
  try {
    parseFilter(filter)
  } catch (error) {
    throw misfit(error)
  }
  return filter
}

/** Says which option is wrong, where `search` would say which key of its filter. */
function misfit(error: unknown): unknown {
  const { message, cause } = error as AuditError
  const [issue] = (cause as { issues?: { path: PropertyKey[]; message: string }[] } | undefined)?.issues ?? []
  if (!issue) return new UsageError(message, { cause })
  const option = String(issue.path[0]).replace(/Id$/, '')
  return new UsageError(`--${option} ${issue.message}.`, { cause: error })
}
