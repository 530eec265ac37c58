/** What somebody answered, read whole. */
interface WholeAnswer {
  readonly ok: boolean
  readonly status: number
  readonly type: string
  readonly text: string
}

/**
 * Asks, and follows to nowhere else: what is sent on would be sent to somebody else.
 *
 * @param timeout milliseconds that the whole answer may take
 */
export async function fetchWhole(
  url: string | URL,
  { signal, timeout, ...request }: Omit<RequestInit, 'signal'> & { signal: AbortSignal; timeout: number },
): Promise<WholeAnswer> {
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
    const answer = await fetch(url, { ...request, signal: within, redirect: 'error' })
    const { ok, status, headers } = answer
    return { ok, status, type: headers.get('content-type') ?? '', text: await answer.text() }
  } catch (cause) {
    const { origin, pathname } = new URL(url) // without a password or a token that it may have
    const inner = (cause as { cause?: unknown }).cause
    const reason = inner instanceof Error && inner.message !== '' ? inner : cause
    throw new Error(
      `no answer from ${origin}${pathname} (${reason instanceof Error ? reason.message : reason})`,
      { cause },
    )
  }
}
