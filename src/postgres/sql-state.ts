/** PostgreSQL's code of an error, from wherever Prisma or its adapter put it; undefined when there is none. */
export function sqlState(error: unknown): string | undefined {
  let current: unknown = error
  for (let depth = 0; depth < 8 && typeof current === 'object' && current !== null; depth++) {
    const { originalCode, code, meta, cause } = current as Record<string, unknown>
    for (const found of [originalCode, code]) {
      if (typeof found === 'string' && /^[0-9A-Z]{5}$/.test(found) && !found.startsWith('P2')) return found
    }
    current = (meta as { driverAdapterError?: unknown } | undefined)?.driverAdapterError ?? cause
  }
  return undefined
}

/** A statement that ran longer than it was allowed to. */
export function isTimeout(error: unknown): boolean {
  return sqlState(error) === '57014'
}
