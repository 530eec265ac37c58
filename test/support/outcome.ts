/** Everything of an outcome that a caller can see, for comparing two clients. */
export type Outcome = { readonly value: unknown; readonly keys: unknown } | { readonly error: unknown }

/** Runs a call and describes what came of it: its value and the order of its fields, or its error. */
export async function outcome(work: () => PromiseLike<unknown>): Promise<Outcome> {
  try {
    const value = await work()
    return { value, keys: describeKeys(value) }
  } catch (error) {
    return { error: describeError(error) }
  }
}

/** The order of an object's keys: which columns come first. */
function describeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(describeKeys)
  if (typeof value !== 'object' || value === null || value instanceof Date) return typeof value
  return Object.keys(value).join()
}

export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, cause, stack: _, ...rest } = error as Error & Record<string, unknown>
  return {
    name,
    // where the call was made: the plain client's reaches us by another stack than the extended one's
    message: message.replace(/^\s*Invalid `.*` invocation(?: in\s+.+:\d+:\d+[\s\S]*?→[^\n]*)?/, ''),
    cause: describeError(cause),
    class: error.constructor.name,
    ...Object.fromEntries(
      Object.entries(rest).map(([key, value]) => [
        key,
        value instanceof Error ? describeError(value) : describeMeta(value),
      ]),
    ),
  }
}

function describeMeta(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, inner instanceof Error ? describeError(inner) : inner]),
  )
}
