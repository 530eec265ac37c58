import type { AuditContext } from '../../context/context.ts'
import { newId } from '../../id.ts'
import { type WrittenColumn, writtenColumns } from '../../log/columns.ts'
import type { ArgumentType } from '../../postgres/connection.ts'
import { own, quoteIdentifier, quoteLiteral, quoteTable, type TableName } from '../../postgres/identifiers.ts'

/** What a call adds to every entry of its statements. */
export interface Attribution {
  readonly context: AuditContext & { actor: NonNullable<AuditContext['actor']> }
  /** The Prisma operation, where it is known. */
  readonly operation: string | undefined
  /** The entry that the call undoes, if it undoes one. */
  readonly revertOf: string | undefined
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
  revertOf: 'text',
  lockedRows: 'text',
  /** Everything that comes with the call as one value, for the function that the log's migration made. */
  context: 'jsonb',
} as const

type ParameterName = keyof typeof parameters

/** What there is to say of a call beyond what every entry says; statements of the same shape have the same text. */
export interface EntryShape {
  readonly operation: boolean
  readonly metadata: boolean
  readonly revertOf: boolean
}

export function entryShape({ context, operation, revertOf }: Attribution): EntryShape {
  return {
    operation: operation !== undefined,
    metadata: context.metadata !== undefined,
    revertOf: revertOf !== undefined,
  }
}

/**
 * Places the parameters of an entry behind the `count` parameters that a statement has already, in the order in which
 * the text first mentions them: PostgreSQL refuses a parameter that is not mentioned.
 */
export class EntryParameters {
  readonly shape: EntryShape
  /** Whether the statement writes one row or a few, as most do, so that planning it takes longer than running it. */
  readonly expectsFewRows: boolean
  /** Whether ids come from `uuidv7()` of PostgreSQL 18, and not with the call. */
  readonly serverMakesIds: boolean
  readonly #mentioned: ParameterName[] = []
  readonly #count: number

  constructor(shape: EntryShape, count: number, expectsFewRows = false, hasUuidv7 = false) {
    this.expectsFewRows = expectsFewRows
    this.serverMakesIds = expectsFewRows && hasUuidv7
    this.shape = shape
    this.#count = count
  }

  /** `$7::text` */
  reference(name: ParameterName): string {
    return `${this.value(name)}::pg_catalog.${parameters[name]}`
  }

  /** `$7`, where PostgreSQL takes it for text by itself: an item of a SELECT list. */
  value(name: ParameterName): string {
    if (!this.#mentioned.includes(name)) this.#mentioned.push(name)
    return `$${this.#count + this.#mentioned.indexOf(name) + 1}`
  }

  /**
   * The arguments in order, with a fresh id for the statement.
   *
   * @param lockedRows addresses of rows, as the text of a tid[]
   */
  bind(attribution: Attribution, lockedRows = '{}'): { args: unknown[]; argTypes: ArgumentType[] } {
    const statement = { lockedRows, id: this.#mentioned.includes('idPrefix') ? newId() : '' }
    return {
      args: this.#mentioned.map((name) => values[name](attribution, statement)),
      argTypes: this.#mentioned.map(() => ({ scalarType: 'string', arity: 'scalar' })),
    }
  }
}

/**
 * What each parameter stands for, given the call and its statement. The id is one UUIDv7 for the statement: its rows take
 * it with a counter in the last 32 bits, which RFC 9562 (6.2, "Monotonicity and Counters") allows and which costs a
 * fraction of a random UUID a row. The counter starts at a random number below 2^31, so a statement may write two
 * billion entries.
 */
const values: Record<
  ParameterName,
  (call: Attribution, statement: { readonly id: string; readonly lockedRows: string }) => string | null
> = {
  idPrefix: (_, { id }) => id.slice(0, -8),
  idCounter: (_, { id }) => String(Number.parseInt(id.slice(-8), 16) >>> 1),
  actorId: ({ context }) => context.actor.id,
  actorType: ({ context }) => context.actor.type,
  actorEmail: ({ context }) => context.actor.email ?? null,
  reason: ({ context }) => context.reason ?? null,
  requestId: ({ context }) => context.requestId ?? null,
  ip: ({ context }) => context.ip ?? null,
  userAgent: ({ context }) => context.userAgent ?? null,
  organizationId: ({ context }) => context.organizationId ?? null,
  operation: ({ operation }) => operation ?? null,
  metadata: ({ context }) => (context.metadata === undefined ? null : JSON.stringify(context.metadata)),
  revertOf: ({ revertOf }) => revertOf ?? null,
  lockedRows: (_, { lockedRows }) => lockedRows,
  context: ({ context, operation, revertOf }) =>
    JSON.stringify({
      actor_id: context.actor.id,
      actor_type: context.actor.type,
      actor_email: context.actor.email,
      reason: context.reason,
      request_id: context.requestId,
      ip: context.ip,
      user_agent: context.userAgent,
      organization_id: context.organizationId,
      details: { operation, metadata: context.metadata, revertOf },
    }),
}

/** Where entries come from: expressions over the rows of a FROM clause. */
export interface EntrySource {
  readonly action: string
  readonly resourceType: string
  readonly resourceId: string
  readonly details: string
  /** What stands behind FROM, with its WHERE clause. */
  readonly from: string
}

const united: EntrySource = {
  action: 'e.action',
  resourceType: 'e.resource_type',
  resourceId: 'e.resource_id',
  details: 'e.details',
  from: '',
}

/**
 * The `INSERT` of entries. `timestamp`, `seq` and `transaction_id` are left to the table's defaults, so a role needs
 * no privilege to set them.
 *
 * @param sources give the entries in order; as a query, `action`, `resource_type`, `resource_id` and `details`
 */
export function insertEntries(
  log: TableName,
  sources: readonly (EntrySource | string)[],
  entry: EntryParameters,
): string {
  const [only] = sources
  // a subquery less to plan where one will do
  const source = sources.length === 1 && typeof only === 'object' ? only : { ...united, from: union(sources) }
  const values: Record<WrittenColumn, string> = {
    id: idOf(entry),
    action: source.action,
    actor_id: entry.value('actorId'),
    actor_type: entry.value('actorType'),
    actor_email: entry.value('actorEmail'),
    resource_type: source.resourceType,
    resource_id: source.resourceId,
    outcome: `'success'`,
    reason: entry.value('reason'),
    details: source.details,
    request_id: entry.value('requestId'),
    ip: entry.reference('ip'),
    user_agent: entry.value('userAgent'),
    organization_id: entry.value('organizationId'),
  }
  const columns = writtenColumns.map(quoteIdentifier).join(', ')
  return [
    `INSERT INTO ${quoteTable(log)} (${columns})`,
    `SELECT ${writtenColumns.map((name) => values[name]).join(', ')}`,
    `FROM ${source.from}`,
  ].join('\n  ')
}

/**
 * A UUIDv7 for each entry. The server's own function (PostgreSQL 18) takes a random number a row, our counter a window
 * function, which costs a statement 40 µs to plan and run: so the one is for a few rows, the other for many.
 */
function idOf(entry: EntryParameters): string {
  if (entry.serverMakesIds) return 'pg_catalog.uuidv7()'
  const ordinal = `pg_catalog.to_hex(${entry.reference('idCounter')} + pg_catalog.row_number() OVER ())`
  return `(${entry.reference('idPrefix')} || pg_catalog.lpad(${ordinal}, 8, '0'))::pg_catalog.uuid`
}

function union(sources: readonly (EntrySource | string)[]): string {
  const queries = sources.map((source) =>
    typeof source === 'string'
      ? source
      : `SELECT ${source.action}, ${source.resourceType}, ${source.resourceId}, ${source.details} FROM ${source.from}`,
  )
  return `(${queries.join('\nUNION ALL ')}) AS e(action, resource_type, resource_id, details)`
}

/** A field of a JSON object: its name, and its value as an SQL expression. */
export interface Field {
  readonly name: string
  readonly value: string
}

/** PostgreSQL takes at most 100 arguments in a call. */
const maxFields = 50

/**
 * `details` as one JSON document, with whole rows nested in it. There are two ways to write it. `to_jsonb` over nested
 * records runs fastest, for many rows; but its subqueries take long to plan, so for the few rows of most statements
 * `jsonb_build_object` is the better one (update of a row: 75 µs of 400).
 */
export function detailsOf(parts: Record<string, string | readonly Field[]>, entry: EntryParameters): string {
  const all = { ...parts }
  if (entry.shape.operation) all.operation = entry.reference('operation')
  if (entry.shape.metadata) all.metadata = entry.reference('metadata')
  if (entry.shape.revertOf) all.revertOf = entry.reference('revertOf')
  const fits = Object.values(all).every((part) => typeof part === 'string' || part.length <= maxFields)
  return entry.expectsFewRows && fits ? built(all) : nested(all)
}

/** A row as a JSON object, for few rows. */
export function rowObject(fields: readonly Field[]): string {
  const row = own('row')
  return fields.length <= maxFields
    ? buildObject(fields)
    : `(SELECT pg_catalog.to_jsonb(${row}) FROM (${selectFields(fields)}) AS ${row})`
}

function built(parts: Record<string, string | readonly Field[]>): string {
  return buildObject(
    Object.entries(parts).map(([name, part]) => ({
      name,
      value: typeof part === 'string' ? part : buildObject(part),
    })),
  )
}

function buildObject(fields: readonly Field[]): string {
  const items = fields.map(({ name, value }) => `${quoteLiteral(name)}, ${value}`)
  return `pg_catalog.jsonb_build_object(${items.join(', ')})`
}

function nested(parts: Record<string, string | readonly Field[]>): string {
  const rows = Object.entries(parts).flatMap(([name, part]) =>
    typeof part === 'string' ? [] : [`(${selectFields(part)}) AS ${own(name)}`],
  )
  const fields = Object.entries(parts).map(([name, part]) =>
    typeof part === 'string'
      ? `${part} AS ${quoteIdentifier(name)}`
      : `${own(name)} AS ${quoteIdentifier(name)}`,
  )
  const from = rows.length > 0 ? ` FROM ${rows.join(', ')}` : ''
  return `(SELECT pg_catalog.to_jsonb(${own('details')}) FROM (SELECT ${fields.join(', ')}${from}) AS ${own('details')})`
}

/** A query that gives one row with these columns. */
export function selectFields(fields: readonly Field[]): string {
  return `SELECT ${fields.map(({ name, value }) => `${value} AS ${quoteIdentifier(name)}`).join(', ')}`
}
