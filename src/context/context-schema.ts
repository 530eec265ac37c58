import { isIP } from 'node:net'
import * as z from 'zod/mini'
import { AuditError } from '../errors.ts'
import { checkShape } from '../values/check-shape.ts'
import { isJsonObject, type Json, NotJson, toJson } from '../values/javascript-json.ts'
import { isStorable } from '../values/storable.ts'

/** PostgreSQL's text can't hold the character with code zero, or half a surrogate pair. */
export const storableText = z
  .string()
  .check(z.refine(isStorable, 'must not contain NUL characters or lone surrogates'))
const shortText = storableText.check(z.minLength(1), z.maxLength(255))

/** Any object; whether JSON can hold it is checked later. */
export const anyObject = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
)

export const actorSchema = z.strictObject({
  id: shortText,
  type: z.enum(['user', 'system', 'api_key']),
  email: z.optional(shortText),
})

export const contextSchema = z.strictObject({
  actor: z.optional(actorSchema),
  requestId: z.optional(shortText),
  // an IPv6 zone (fe80::1%eth0) means nothing outside its machine, and inet has no place for it
  ip: z.optional(
    storableText.check(
      z.refine((value) => isIP(value) !== 0 && !value.includes('%'), 'must be an IPv4 or IPv6 address'),
    ),
  ),
  userAgent: z.optional(storableText),
  organizationId: z.optional(shortText),
  reason: z.optional(storableText),
  metadata: z.optional(z.pipe(anyObject, z.transform(metadataJson))),
})

type ParsedContext = z.output<typeof contextSchema>

/**
 * Checks that the log can store a context.
 *
 * @throws AuditError `AUDIT_INVALID_CONTEXT`, naming the field and what it accepts
 */
export function parseContext(context: unknown): ParsedContext {
  const parsed = checkShape(contextSchema, context)
  if (parsed.success) return parsed.data
  throw new AuditError(
    'AUDIT_INVALID_CONTEXT',
    `The audit context can't be stored, and an entry without it would be wrong: ${z.prettifyError(parsed.error)}`,
    { cause: parsed.error },
  )
}

/** As the log will have it, so a context holds nothing that changes later or can't be stored. */
function metadataJson(metadata: object, { issues }: z.core.ParsePayload): { [key: string]: Json } {
  try {
    const json = toJson(metadata, 'metadata')
    if (isJsonObject(json)) return json
    issues.push({ code: 'custom', message: 'metadata is not an object in JSON', input: metadata })
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    issues.push({ code: 'custom', message: error.message, input: metadata })
  }
  return z.NEVER
}
