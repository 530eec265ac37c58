import * as z from 'zod/mini'
import { AuditError } from '../errors.ts'
import { checkShape } from '../values/check-shape.ts'

/**
 * Checks what a query helper was given.
 *
 * @param what as the message calls it: `The filter`
 * @throws AuditError `AUDIT_INVALID_FILTER`, naming the key and what it accepts
 */
export function check<Output>(what: string, schema: z.ZodMiniType<Output>, value: unknown): Output {
  const parsed = checkShape(schema, value)
  if (parsed.success) return parsed.data
  throw new AuditError(
    'AUDIT_INVALID_FILTER',
    `${what} can't be used, and nothing was read: ${z.prettifyError(parsed.error)}`,
    { cause: parsed.error },
  )
}
