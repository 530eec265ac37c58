import { v7 as uuidv7 } from 'uuid'
import type { AuditContext } from '../context.ts'
import { quoteIdentifier, quoteTable, type TableName } from '../sql.ts'
import type { ArgumentType } from './adapter.ts'

/** Our names inside a statement: CTEs, aliases and columns that can't collide with anyone's. */
export function own(name: string): string {
  return quoteIdentifier(`__audit_${name}`)
}

/** What a call adds to every entry of its statements. */
export interface Attribution {
  readonly context: AuditContext & { actor: NonNullable<AuditContext['actor']> }
  /** The Prisma operation, where it is known. */
  readonly operation: string | undefined
}

/** The values of an entry that come with the call, as parameters behind the statement's own. */
const parameters = {
  idPrefix: 'text',
  idCounter: 'int8',
  actorId: 'text',
  actorType: 'text',
  actorEmail: 'text',
  reason: 'text',
  requestId: 'text',
  ip: 'inet',
  userAgent: 'text',
  organizationId: 'text',
  operation: 'text',
  metadata: 'jsonb',
  lockedRows: 'text',
} as const

type ParameterName = keyof typeof parameters

/** What there is to say of a call beyond what every entry says; statements of the same shape have the same text. */
export interface EntryShape {
  readonly operation: boolean
  readonly metadata: boolean
}

export function entryShape({ context, operation }: Attribution): EntryShape {
  return { operation: operation !== undefined, metadata: context.metadata !== undefined }
}

/**
 * Places the parameters of an entry behind the `count` parameters that a statement has already, in the order in which
 * the text first mentions them: PostgreSQL refuses a parameter that is not mentioned.
 */
export class EntryParameters {
  readonly shape: EntryShape
  readonly #mentioned: ParameterName[] = []
  readonly #count: number

  constructor(shape: EntryShape, count: number) {
    this.shape = shape
    this.#count = count
  }

  /** `$7::text` */
  reference(name: ParameterName): string {
    if (!this.#mentioned.includes(name)) this.#mentioned.push(name)
    return `$${this.#count + this.#mentioned.indexOf(name) + 1}::pg_catalog.${parameters[name]}`
  }

  /**
   * The arguments in order, with a fresh id for the statement.
   *
   * @param lockedRows addresses of rows, as the text of a tid[]
   */
  bind(attribution: Attribution, lockedRows = '{}'): { args: unknown[]; argTypes: ArgumentType[] } {
    const values = { ...parameterValues(attribution), lockedRows }
    return {
      args: this.#mentioned.map((name) => values[name]),
      argTypes: this.#mentioned.map(() => ({ scalarType: 'string', arity: 'scalar' })),
    }
  }
}

/**
 * One UUIDv7 for the statement. Its rows take it with a counter in the last 32 bits, which RFC 9562 (6.2, "Monotonicity
 * and Counters") allows and which costs a fraction of a random UUID a row. The counter starts at a random number below
 * 2^31, so a statement may write two billion entries.
 */
function parameterValues({
  context,
  operation,
}: Attribution): Record<Exclude<ParameterName, 'lockedRows'>, string | null> {
  const id = uuidv7()
  return {
    idPrefix: id.slice(0, -8),
    idCounter: String(Number.parseInt(id.slice(-8), 16) >>> 1),
    actorId: context.actor.id,
    actorType: context.actor.type,
    actorEmail: context.actor.email ?? null,
    reason: context.reason ?? null,
    requestId: context.requestId ?? null,
    ip: context.ip ?? null,
    userAgent: context.userAgent ?? null,
    organizationId: context.organizationId ?? null,
    operation: operation ?? null,
    metadata: context.metadata === undefined ? null : JSON.stringify(context.metadata),
  }
}

/**
 * The `INSERT` of entries. `timestamp`, `seq` and `transaction_id` are left to the table's defaults, so a role needs
 * no privilege to set them.
 *
 * @param source a query that gives `action`, `resource_type`, `resource_id` and `details`, in the order of entries
 */
export function insertEntries(log: TableName, source: string, entry: EntryParameters): string {
  const ordinal = `pg_catalog.to_hex(${entry.reference('idCounter')} + pg_catalog.row_number() OVER ())`
  const values: Record<string, string> = {
    id: `(${entry.reference('idPrefix')} || pg_catalog.lpad(${ordinal}, 8, '0'))::pg_catalog.uuid`,
    action: 'e.action',
    actor_id: entry.reference('actorId'),
    actor_type: entry.reference('actorType'),
    actor_email: entry.reference('actorEmail'),
    resource_type: 'e.resource_type',
    resource_id: 'e.resource_id',
    outcome: `'success'`,
    reason: entry.reference('reason'),
    details: 'e.details',
    request_id: entry.reference('requestId'),
    ip: entry.reference('ip'),
    user_agent: entry.reference('userAgent'),
    organization_id: entry.reference('organizationId'),
  }
  const columns = Object.keys(values).map(quoteIdentifier).join(', ')
  return [
    `INSERT INTO ${quoteTable(log)} (${columns})`,
    `SELECT ${Object.values(values).join(', ')}`,
    `FROM (${source}) AS e(action, resource_type, resource_id, details)`,
  ].join('\n  ')
}

/**
 * `details` as one JSON document. Whole rows are built by one `to_jsonb` over nested records: building each row's
 * JSON first and nesting it then costs twice as much.
 *
 * @param parts name → SQL expression of any type, or `{ row }`: a query that gives one row
 */
export function detailsOf(parts: Record<string, string | { row: string }>, entry: EntryParameters): string {
  const all = { ...parts }
  if (entry.shape.operation) all.operation = entry.reference('operation')
  if (entry.shape.metadata) all.metadata = entry.reference('metadata')
  const rows = Object.entries(all).flatMap(([name, part]) =>
    typeof part === 'string' ? [] : [`(${part.row}) AS ${own(name)}`],
  )
  const fields = Object.entries(all).map(([name, part]) =>
    typeof part === 'string'
      ? `${part} AS ${quoteIdentifier(name)}`
      : `${own(name)} AS ${quoteIdentifier(name)}`,
  )
  const from = rows.length > 0 ? ` FROM ${rows.join(', ')}` : ''
  return `(SELECT pg_catalog.to_jsonb(${own('details')}) FROM (SELECT ${fields.join(', ')}${from}) AS ${own('details')})`
}
