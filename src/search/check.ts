import * as z from 'zod/mini'
import { AuditError } from '../errors.ts'
import { checkShape } from '../values/check-shape.ts'

/**
 * Checks what a helper was given.
 *
 * @param what as the message calls it: `The filter`
 * @param notDone what did not happen then
 * @throws AuditError `AUDIT_INVALID_FILTER`, naming the key and what it accepts
 */
export function check<Output>(
  what: string,
  schema: z.ZodMiniType<Output>,
  value: unknown,
  notDone = 'nothing was read',
): Output {
  const parsed = checkShape(schema, value)
  if (parsed.success) return parsed.data
  throw new AuditError(
    'AUDIT_INVALID_FILTER',
    `${what} can't be used, and ${notDone}: ${z.prettifyError(parsed.error)}`,
    { cause: parsed.error },
  )
}
