/** PostgreSQL's code of an error, wherever Prisma or its adapter put it; undefined when the server sent none. */
export function sqlStateOf(error: unknown): string | undefined {
  for (const { originalCode, code } of causesOf(error)) {
    const state = [originalCode, code].find(isSqlState)
    if (state !== undefined) return state
  }
  return undefined
}

/** The server's message about an error, if any. */
export function serverMessageOf(error: unknown): string | undefined {
  for (const { originalMessage } of causesOf(error)) {
    if (typeof originalMessage === 'string') return originalMessage
  }
  return undefined
}

/** A row that a CHECK refuses, or that no partition is for. */
export const checkViolation = '23514'

/** A statement that ran longer than it was allowed to. */
export function isTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '57014'
}

/** Codes of Node (`EPIPE`) and of Prisma (`P2002`) are in the same places and may be as long. */
function isSqlState(code: unknown): code is string {
  return typeof code === 'string' && /^(?!P[1-9])(?=.*\d)[0-9A-Z]{5}$/.test(code)
}

/**
 * An error and what it was made from: Prisma's errors have the adapter's in `meta`, the adapter's have the server's in
 * `cause`.
 */
function* causesOf(error: unknown): Generator<Readonly<Record<string, unknown>>> {
  let current = error
  for (let depth = 0; depth < 8 && typeof current === 'object' && current !== null; depth++) {
    const { meta, cause } = current as Record<string, unknown>
    yield current as Record<string, unknown>
    current = (meta as { driverAdapterError?: unknown } | undefined)?.driverAdapterError ?? cause
  }
}
