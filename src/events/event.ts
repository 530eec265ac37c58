import * as z from 'zod/mini'
import { $ZodError } from 'zod/v4/core'
import type { AuditContext } from '../context/context.ts'
import { anyObject, contextSchema, storableText } from '../context/context-schema.ts'
import { AuditError } from '../errors.ts'
import { checkShape } from '../values/check-shape.ts'

/** The id of a record as applications have it; the log has its text. */
export type Identifier = string | number | bigint

/**
 * Something worth an entry that is not a data change. It may say who and where; what it leaves out comes from the
 * context.
 *
 * @example
 * ```ts
 * const event: AuditEvent = {
 *   action: 'report.export',
 *   resource: { type: 'report', id: 'q3' },
 *   details: { format: 'pdf', rows: 1200n },
 * }
 * ```
 */
export interface AuditEvent extends AuditContext {
  /** `resource.verb`: letters, digits, `_` and `-` on both sides of one dot, at most 100 characters. */
  action: string
  /** Default: the first half of the action, and no id. At most 100 and 255 characters. */
  resource?: { type: string; id?: Identifier | null | undefined } | undefined
  /** Default `'success'`. A failure needs a `reason`. */
  outcome?: 'success' | 'failure' | undefined
  /** Anything that the log's JSON can hold; fields that the options redact become `"[redacted]"`. */
  details?: Record<string, unknown> | null | undefined
}

/** A checked event, in one form. */
export interface ParsedEvent extends Omit<AuditEvent, 'resource' | 'outcome' | 'details'> {
  readonly resource?: { readonly type: string; readonly id?: string | null | undefined } | undefined
  readonly outcome: 'success' | 'failure'
  readonly details?: object | null | undefined
}

const recordId = z.pipe(
  z.pipe(z.union([z.string(), z.number(), z.bigint()]), z.transform(String)),
  storableText.check(z.minLength(1), z.maxLength(255)),
)

const eventSchema = z
  .extend(contextSchema, {
    action: z
      .string()
      .check(
        z.maxLength(100),
        z.regex(
          /^[\p{L}_][\p{L}\p{N}_-]*\.[\p{L}_][\p{L}\p{N}_-]*$/u,
          'must be resource.verb, as in "report.export"',
        ),
      ),
    resource: z.optional(
      z.strictObject({
        type: storableText.check(z.minLength(1), z.maxLength(100)),
        id: z.nullish(recordId),
      }),
    ),
    outcome: z._default(z.enum(['success', 'failure']), 'success'),
    details: z.nullish(anyObject),
  })
  .check(
    z.refine(({ outcome, reason }) => outcome === 'success' || !!reason, {
      path: ['reason'],
      message: 'a failure needs one',
    }),
  )

/**
 * Checks that the log can store an event; what is in `details` is checked when it becomes JSON.
 *
 * @throws AuditError `AUDIT_INVALID_EVENT`, naming the field and what it accepts
 */
export function parseEvent(event: unknown): ParsedEvent {
  const parsed = attempt(event)
  if (parsed.success) return parsed.data
  const { error } = parsed
  const problem = error instanceof $ZodError ? z.prettifyError(error) : "it can't be read"
  throw new AuditError(
    'AUDIT_INVALID_EVENT',
    `The event can't be stored, and nothing was written: ${problem}`,
    { cause: error },
  )
}

/** A proxy or a getter of the application may throw anything. */
function attempt(event: unknown): { success: true; data: ParsedEvent } | { success: false; error: unknown } {
  try {
    return checkShape(eventSchema, event)
  } catch (error) {
    return { success: false, error }
  }
}
