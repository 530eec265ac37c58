/** The action of entries that tell of erasures. */
export const erasing = 'auditLog.erase'

/** Whether an entry tells of an erasure. */
export function isErasure(entry: { readonly action: string; readonly resource_type: string }): boolean {
  return entry.action === erasing && entry.resource_type === 'auditLog'
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The entry that tells of the erasure of another.
 *
 * @param details as text, of the entry that may have been erased
 */
export function erasureIn(details: string | null): string | undefined {
  if (!details?.includes('"erasure"')) return undefined
  const entry = asObject(asObject(JSON.parse(details)).erasure).entry
  return typeof entry === 'string' && uuid.test(entry) ? entry : undefined
}

/**
 * What an entry `auditLog.erase` tells of: erased entries by id, with the SHA-256 of the canonical form that each has become, in
 * hexadecimal. Whoever may write to the table may write such an entry, so that what has another form tells of nothing.
 */
export function parseErased(details: string | null): ReadonlyMap<string, string> {
  const told = Object.entries(asObject(asObject(JSON.parse(details ?? 'null')).erased))
  return new Map(
    told.filter((pair): pair is [string, string] => uuid.test(pair[0]) && typeof pair[1] === 'string'),
  )
}

/** A JSON object, and an empty one for any other value. */
function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
