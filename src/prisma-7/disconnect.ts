import { baseClient, type ClientInternals } from './internals.ts'

/** Runs `work` before the client, or what `$extends` made of it, disconnects. Each audit of a client adds its own. */
export function beforeDisconnect(client: ClientInternals, work: () => Promise<void>): void {
  const base = baseClient(client)
  const disconnect = base.$disconnect?.bind(base)
  base.$disconnect = async () => {
    try {
      await work()
    } finally {
      await disconnect?.()
    }
  }
}
