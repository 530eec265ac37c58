import * as z from 'zod/mini'
import { AuditError } from '../errors.ts'
import { isStorable } from '../values/storable.ts'
import { check } from './check.ts'

/**
 * Which entries: those that meet all conditions given.
 *
 * @typeParam Model the names that complete in the editor
 */
export interface SearchFilter<Model extends string = string> {
  /** `'order.update'`, or a pattern where `*` matches any characters: `'user.*'`, `'*.export'`. */
  action?: string | string[] | undefined
  /** Who: the id, or any of id, type and e-mail address. */
  actor?: string | ActorFilter | undefined
  /**
   * What: a model (`'OrderItem'`), a resource (`'orderItem'`), or the resource of an event. A type alone means the
   * actions that begin with it (`orderItem.*`), unless `action` says which.
   */
  resource?: Model | OtherResource | ResourceFilter<Model> | undefined
  outcome?: 'success' | 'failure' | undefined
  /** Updates that changed this field, or at least one of these. */
  changed?: string | string[] | undefined
  requestId?: string | undefined
  organizationId?: string | undefined
  transactionId?: bigint | number | string | undefined
  /** Inclusive. A string is ISO 8601: a day (midnight UTC), or a time with `Z` or an offset. */
  from?: Date | string | undefined
  /** Exclusive. */
  to?: Date | string | undefined
}

export interface ActorFilter {
  id?: string | undefined
  type?: 'user' | 'system' | 'api_key' | undefined
  email?: string | undefined
}

export interface ResourceFilter<Model extends string = string> {
  type: Model | OtherResource
  /** As `history` takes it, or the text of an entry's `resource.id`. */
  id?: string | number | bigint | object | undefined
}

/** Any text; the editor still completes the models' names. */
type OtherResource = string & {}

/** A checked filter, in one form. */
export interface ParsedFilter {
  readonly action?: string[] | undefined
  readonly actor?: ActorFilter | undefined
  readonly resource?: { readonly type: string; readonly id?: unknown } | undefined
  readonly outcome?: 'success' | 'failure' | undefined
  readonly changed?: string[] | undefined
  readonly requestId?: string | undefined
  readonly organizationId?: string | undefined
  readonly transactionId?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
}

const text = z
  .string({ error: 'must be a string' })
  .check(
    z.minLength(1, 'must not be empty'),
    z.refine(isStorable, 'must not contain NUL characters or lone surrogates'),
  )

const texts = z.pipe(
  z.transform((value) => (typeof value === 'string' ? [value] : value)),
  z.pipe(
    z
      .array(text, { error: 'must be a string or a list of strings' })
      .check(z.minLength(1, 'must be a string or a list of at least one')),
    z.transform((list) => [...new Set(list)].sort()),
  ),
)

const actor = z.pipe(
  z.transform((value) => (typeof value === 'string' ? { id: value } : value)),
  z.strictObject(
    {
      id: z.optional(text),
      type: z.optional(z.enum(['user', 'system', 'api_key'])),
      email: z.optional(text),
    },
    { error: expected('an id, or an object of id, type and email') },
  ),
)

const resource = z.pipe(
  z.transform((value) => (typeof value === 'string' ? { type: value } : value)),
  z.strictObject(
    { type: text, id: z.optional(z.unknown()) },
    { error: expected('a model or resource, or an object of type and id') },
  ),
)

const largestBigint = 2n ** 63n - 1n
const aTransactionId = "must be an entry's transactionId: a whole number as bigint, number or string"
const wholeNumber = z.union([z.bigint(), z.int(), z.string().check(z.regex(/^\d{1,19}$/, aTransactionId))], {
  error: aTransactionId,
})
const transactionId = z.pipe(
  z
    .pipe(
      wholeNumber,
      z.transform((id: bigint | number | string) => BigInt(id)),
    )
    .check(z.refine((id) => id >= 0n && id <= largestBigint, 'must be from 0 to 9223372036854775807')),
  z.transform(String),
)

const aMoment =
  'must be a Date, or a string in ISO 8601: 2026-11-24, or 2026-11-24T09:12:00Z with Z or an offset'
const moment = z
  .union(
    [
      z.pipe(
        z.date(),
        z.transform((date) => date.toISOString()),
      ),
      z.iso.datetime({ offset: true, error: aMoment }),
      z.pipe(
        z.iso.date(aMoment),
        z.transform((day) => `${day}T00:00:00.000Z`),
      ),
    ],
    { error: aMoment },
  )
  .check(
    z.refine((iso) => {
      const year = new Date(iso).getUTCFullYear()
      return year >= 1 && year <= 9999
    }, 'must be from year 1 to 9999'),
  )

const timeSpan = { from: z.optional(moment), to: z.optional(moment) }

const filterSchema = z.strictObject(
  {
    action: z.optional(texts),
    actor: z.optional(actor),
    resource: z.optional(resource),
    outcome: z.optional(z.enum(['success', 'failure'], { error: 'must be success or failure' })),
    changed: z.optional(texts),
    requestId: z.optional(text),
    organizationId: z.optional(text),
    transactionId: z.optional(transactionId),
    ...timeSpan,
  },
  {
    error: expected(
      'an object of action, actor, resource, outcome, changed, requestId, organizationId, transactionId, from and to',
    ),
  },
)

const spanSchema = z.strictObject(timeSpan, { error: expected('an object of from and to') })
const sinceSchema = z.pipe(
  z.strictObject(
    { since: moment, until: z.optional(moment) },
    { error: expected('an object of since and until') },
  ),
  z.transform(({ since, until }) => ({ from: since, to: until })),
)

/**
 * Checks a filter.
 *
 * @throws AuditError `AUDIT_INVALID_FILTER`, naming the key and what it accepts
 */
export function parseFilter(filter: unknown): ParsedFilter {
  return inOrder(check('The filter', filterSchema, filter))
}

/** Checks `{ from, to }`. */
export function parseSpan(span: unknown): ParsedFilter {
  return inOrder(check('The time span', spanSchema, span))
}

/** Checks `{ since, until }`. */
export function parseSince(span: unknown): ParsedFilter {
  return inOrder(check('The time span', sinceSchema, span))
}

function inOrder(filter: ParsedFilter): ParsedFilter {
  const { from, to } = filter
  if (from === undefined || to === undefined || Date.parse(from) <= Date.parse(to)) return filter
  throw new AuditError(
    'AUDIT_INVALID_FILTER',
    `The time span begins at ${from}, after its end at ${to}, so nothing can be in it. Give the earlier one first.`,
  )
}

/** What an object may be, or the key that it must not have. */
function expected(what: string): (issue: { readonly code?: string; readonly keys?: string[] }) => string {
  return ({ code, keys }) =>
    code === 'unrecognized_keys'
      ? `has the unknown key ${keys?.map((key) => JSON.stringify(key)).join(', ')}: it must be ${what}`
      : `must be ${what}`
}
