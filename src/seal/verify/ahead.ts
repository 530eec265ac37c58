import { setImmediate } from 'node:timers/promises'

/** The same items. The first is asked for now, not when somebody waits for it. */
export function startNow<T>(items: AsyncGenerator<T, void, void>): AsyncGenerator<T, void, void> {
  const first = items.next()
  first.catch(() => {}) // it is thrown where it is awaited
  return goOn(first, items)
}

async function* goOn<T>(first: Promise<IteratorResult<T, void>>, items: AsyncGenerator<T, void, void>) {
  const { done, value } = await first
  if (done) return
  yield value as T
  yield* items
}

/** The same items, each once the next one has come: what that one has begun is on its way while this one is worked on. */
export async function* oneAhead<T>(items: AsyncGenerator<T, void, void>): AsyncGenerator<T, void, void> {
  let item = await items.next()
  while (!item.done) {
    const next = await items.next()
    await setImmediate() // a query is only sent once nothing else is to be done
    yield item.value
    item = next
  }
}
