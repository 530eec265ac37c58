import type { Attribution } from '../../attribution.ts'
import { newId } from '../../id.ts'
import type { ArgumentType } from '../../postgres/connection.ts'

/** The values of an entry that come from the call, as parameters after the statement's own. */
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
  /** Everything that comes from the call as one value, for the log's function. */
  context: 'jsonb',
  /** The same, for triggers. */
  contextText: 'text',
} as const

type ParameterName = keyof typeof parameters

/** What the entries of a call have besides what every entry has; statements of the same shape have the same text. */
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
 * Places the parameters of an entry after the `count` parameters of the statement itself, in the order in which the
 * text first mentions them: PostgreSQL refuses a parameter that is not mentioned.
 */
export class EntryParameters {
  readonly shape: EntryShape
  /** Whether the statement writes one row or a few, as most do: planning it then takes longer than running it. */
  readonly expectsFewRows: boolean
  /** Whether ids come from `uuidv7()` of PostgreSQL 18, not from the call. */
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

  /** `$7`, where PostgreSQL takes it as text anyway: an item of a SELECT list. */
  value(name: ParameterName): string {
    if (!this.#mentioned.includes(name)) this.#mentioned.push(name)
    return `$${this.#count + this.#mentioned.indexOf(name) + 1}`
  }

  /**
   * The arguments in order, with a new id for the statement.
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
 * The value of each parameter for a call and its statement. The id is one UUIDv7 for the statement: its rows use it
 * with a counter in the last 32 bits. RFC 9562 (6.2, "Monotonicity and Counters") allows that, and it costs a fraction
 * of one random UUID for each row. The counter starts at a random number below 2^31, so a statement may write two
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
  context: contextJson,
  contextText: contextJson,
}

function contextJson({ context, operation, revertOf }: Attribution): string {
  return JSON.stringify({
    actor_id: context.actor.id,
    actor_type: context.actor.type,
    actor_email: context.actor.email,
    reason: context.reason,
    request_id: context.requestId,
    ip: context.ip,
    user_agent: context.userAgent,
    organization_id: context.organizationId,
    details: { operation, metadata: context.metadata, revertOf },
  })
}
