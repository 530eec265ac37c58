import * as z from 'zod/mini'
import en from 'zod/v4/locales/en.js'

/** `zod/mini` brings no messages. These are English, whatever language an application chose for its own zod. */
const { localeError } = en()

/** Checks a value against a schema; the issues of a failure have messages. */
export function checkShape<Output>(
  schema: z.ZodMiniType<Output>,
  value: unknown,
): z.core.util.SafeParseResult<Output> {
  return z.safeParse(schema, value, { error: localeError })
}
