import * as z from 'zod/mini'
import en from 'zod/v4/locales/en.js'
import type { AuditError } from '../errors.ts'

/** `zod/mini` brings no messages. These are English, whatever language an application chose for its own zod. */
const { localeError } = en()

/** Checks a value against a schema; the issues of a failure have messages. */
export function checkShape<Output>(
  schema: z.ZodMiniType<Output>,
  value: unknown,
): z.core.util.SafeParseResult<Output> {
  return z.safeParse(schema, value, { error: localeError })
}

/** An option that says how long to wait between two times, in milliseconds: at most what a timer can. */
export const milliseconds = z.number().check(z.minimum(10), z.maximum(2_147_483_647))

/** An option `onError`. */
export const errorHandler = z.optional(
  z.custom<(error: AuditError) => void>((value) => typeof value === 'function'),
)
