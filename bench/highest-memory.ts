/** From now on looks at the memory of this process. @returns the most resident bytes so far, whenever it is called */
export function watchMemory(): () => number {
  let highest = 0
  setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss())
  }, 20).unref()
  return () => highest
}
