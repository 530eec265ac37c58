/** The shell's code for a command that Ctrl-C ended. */
export const interruptedCode = 130

const listeners: { signal: NodeJS.Signals; interrupt: () => void }[] = []

/** Aborts at the first Ctrl-C; the second ends the process as usual. */
export function untilInterrupted(...others: NodeJS.Signals[]): AbortSignal {
  const controller = new AbortController()
  const interrupt = () => controller.abort()
  for (const signal of ['SIGINT' as const, ...others]) {
    process.once(signal, interrupt)
    listeners.push({ signal, interrupt })
  }
  return controller.signal
}

/** Once a command has ended, nobody waits for Ctrl-C any more. */
export function forgetInterruptions(): void {
  for (const { signal, interrupt } of listeners.splice(0)) process.off(signal, interrupt)
}
