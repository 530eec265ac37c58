/** The same items in the same order, of which the next ones are already on their way while one is worked on. */
export async function* prefetch<T>(
  items: AsyncGenerator<T, void, void>,
  ahead: number,
): AsyncGenerator<T, void, void> {
  const coming: Promise<IteratorResult<T, void>>[] = []
  const ask = () => {
    const next = items.next()
    next.catch(() => {}) // it is thrown where it is awaited
    coming.push(next)
  }
  try {
    for (let asked = 0; asked <= ahead; asked++) ask()
    while (true) {
      const { done, value } = await (coming.shift() as Promise<IteratorResult<T, void>>)
      if (done) return
      ask()
      yield value as T
    }
  } finally {
    await Promise.allSettled(coming)
    await items.return()
  }
}
