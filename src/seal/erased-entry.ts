/** The action of entries that tell of erasures. */
export const erasing = 'auditLog.erase'

/** Whether an entry tells of an erasure. */
export function isErasure(entry: { readonly action: string; readonly resource_type: string }): boolean {
  return entry.action === erasing && entry.resource_type === 'auditLog'
}

/**
 * The entry that tells of the erasure of another.
 *
 * @param details as text, of the entry that may have been erased
 */
export function erasureIn(details: string | null): string | undefined {
  if (!details?.includes('"erasure"')) return undefined
  const { erasure } = JSON.parse(details) as { erasure?: { entry?: unknown } | null }
  const entry = erasure?.entry
  return typeof entry === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(entry)
    ? entry
    : undefined
}

/**
 * What an entry `auditLog.erase` tells of: erased entries by id, with the SHA-256 of the canonical form that each has become, in
 * hexadecimal.
 */
export function parseErased(details: string | null): ReadonlyMap<string, string> {
  const { erased } = JSON.parse(details ?? '{}') as { erased?: Record<string, string> | null }
  return new Map(Object.entries(erased ?? {}))
}
