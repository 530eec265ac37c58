import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Proxy {
  /** The database behind the delay. */
  readonly url: string
  stop(): Promise<void>
}

/** A network between client and database: a process that passes on each chunk of bytes `delay` milliseconds late. */
export async function startProxy(url: string, delay: number): Promise<Proxy> {
  const target = new URL(url)
  const child = fork(fileURLToPath(new URL('proxy-process.ts', import.meta.url)), [
    target.port,
    String(delay),
  ])
  const [port] = (await once(child, 'message')) as [number]
  target.port = String(port)
  return {
    url: target.toString(),
    stop: async () => {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}
