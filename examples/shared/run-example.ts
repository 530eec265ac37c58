import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** An example that runs in a process of its own, as a user starts it. */
export interface RunningExample {
  readonly url: string
  /** Sends a request with a JSON body; gives the answer's status and its body, parsed where it is JSON. */
  request(
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; body?: unknown },
  ): Promise<{ status: number; headers: Headers; body: unknown }>
  stop(): Promise<void>
}

export async function runExample(example: string): Promise<RunningExample> {
  const main = join(import.meta.dirname, '..', example, 'main.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk
        const port = /Listening on http:\/\/\S+:(\d+)/.exec(output)?.[1]
        if (port) resolve(`http://127.0.0.1:${port}`)
      })
    }
    void ended.then(() => reject(new Error(`The example ${example} ended:\n${output}`)))
  })
  return {
    url,
    async request(method, path, { headers = {}, body } = {}) {
      const response = await fetch(url + path, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.includes('json')
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
