import { isIP } from 'node:net'
import { z } from 'zod'
import { AuditError } from '../errors.ts'
import { isJsonObject, type Json, NotJson, toJson } from '../values/javascript-json.ts'
import { isStorable } from '../values/storable.ts'

/** PostgreSQL's text can't hold the character with code zero, or half a surrogate pair. */
export const storableText = z
  .string()
  .refine(isStorable, 'must not contain NUL characters or lone surrogates')
const shortText = storableText.min(1).max(255)

/** Any object; whether JSON can hold it is checked later. */
export const anyObject = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
)

export const actorSchema = z.strictObject({
  id: shortText,
  type: z.enum(['user', 'system', 'api_key']),
  email: shortText.optional(),
})

export const contextSchema = z.strictObject({
  actor: actorSchema.optional(),
  requestId: shortText.optional(),
  // an IPv6 zone (fe80::1%eth0) means nothing outside its machine, and inet has no place for it
  ip: storableText
    .refine((value) => isIP(value) !== 0 && !value.includes('%'), 'must be an IPv4 or IPv6 address')
    .optional(),
  userAgent: storableText.optional(),
  organizationId: shortText.optional(),
  reason: storableText.optional(),
  metadata: anyObject.transform(metadataJson).optional(),
})

type ParsedContext = z.output<typeof contextSchema>

/**
 * Checks that the log can store a context.
 *
 * @throws AuditError `AUDIT_INVALID_CONTEXT`, naming the field and what it accepts
 */
export function parseContext(context: unknown): ParsedContext {
  const parsed = contextSchema.safeParse(context)
  if (parsed.success) return parsed.data
  throw new AuditError(
    'AUDIT_INVALID_CONTEXT',
    `The audit context can't be stored, and an entry without it would be wrong: ${z.prettifyError(parsed.error)}`,
    { cause: parsed.error },
  )
}

/** As the log will have it, so a context holds nothing that changes later or can't be stored. */
function metadataJson(metadata: object, check: z.RefinementCtx): { [key: string]: Json } {
  try {
    const json = toJson(metadata, 'metadata')
    if (isJsonObject(json)) return json
    check.addIssue({ code: 'custom', message: 'metadata is not an object in JSON' })
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    check.addIssue({ code: 'custom', message: error.message })
  }
  return z.NEVER
}
