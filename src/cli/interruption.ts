/** The shell's code for a command that Ctrl-C ended. */
export const interruptedCode = 130

/** Aborts at the first Ctrl-C; the second ends the process as usual. */
export function untilInterrupted(...others: NodeJS.Signals[]): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT' as const, ...others]) process.once(signal, () => controller.abort())
  return controller.signal
}
