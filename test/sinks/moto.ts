import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll } from 'vitest'

/** Clients of the AWS SDK that speak to a moto server. */
export interface Moto {
  readonly config: {
    readonly endpoint: string
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
    readonly forcePathStyle: true
    readonly maxAttempts: number
  }
}

/** Why the tests that need moto are skipped; undefined where it is installed. */
export const withoutMoto =
  spawnSync('moto_server', ['--help']).status === 0
    ? undefined
    : 'moto_server is not installed: pip install "moto[server]"'

/** Starts a server of the calling file's own, ended after its tests. */
export async function startMoto(): Promise<Moto> {
  const port = await freePort()
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  afterAll(async () => {
    if (child.exitCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  })
  const endpoint = `http://127.0.0.1:${port}`
  const deadline = performance.now() + 60_000
  while (
    !(await fetch(endpoint).then(
      () => true,
      () => false,
    ))
  ) {
    if (performance.now() > deadline || child.exitCode !== null) throw new Error('moto_server did not start')
    await sleep(100)
  }
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  return { config: { endpoint, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts: 1 } }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
