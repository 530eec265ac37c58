import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** A server that plays the services of Amazon, and how clients of its SDK speak to it. */
export interface Moto {
  readonly pid: number | undefined
  readonly config: ReturnType<typeof motoConfig>
  stop(): Promise<void>
}

/** Whether moto is installed. */
export function hasMoto(): boolean {
  return spawnSync('moto_server', ['--help']).status === 0
}

/** How clients of the AWS SDK speak to a server at an address. */
export function motoConfig(endpoint: string) {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  return { endpoint, region: 'us-east-1', credentials, forcePathStyle: true as const, maxAttempts: 1 }
}

/** @throws Error where it does not answer within a minute */
export async function startMoto(): Promise<Moto> {
  const port = await freePort()
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL') // what it has is in memory
    await gone
  }
  const endpoint = `http://127.0.0.1:${port}`
  const deadline = performance.now() + 60_000
  while (!(await isAnswering(endpoint))) {
    if (performance.now() > deadline || child.exitCode !== null) {
      await stop()
      throw new Error('moto_server did not start')
    }
    await sleep(100)
  }
  return { pid: child.pid, config: motoConfig(endpoint), stop }
}

/** Whether a server answers, whatever it says. */
export function isAnswering(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  )
}
