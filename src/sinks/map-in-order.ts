/** Works on a few items at a time, and gives the results in their order. */
export async function* mapInOrder<Item, Result>(
  items: AsyncIterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = []
  for await (const item of items) {
    const result = work(item)
    result.catch(() => {}) // thrown where it is its turn
    running.push(result)
    if (running.length >= atOnce) yield await (running.shift() as Promise<Result>)
  }
  for (const result of running) yield await result
}
