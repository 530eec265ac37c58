import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** An example that runs in a process of its own, as a user starts it. */
export interface RunningExample {
  readonly url: string
  /** Whom it says to sign in as, to see the log. */
  readonly account: { readonly name: string; readonly password: string }
  /** Sends a request with a JSON body; gives the answer's status and its body, parsed where it is JSON. */
  request(
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; body?: unknown },
  ): Promise<{ status: number; headers: Headers; body: unknown }>
  stop(): Promise<void>
}

/** What an example prints when it is ready: where it listens, where the log is, and who may see it. */
const announcement =
  /^Listening on (?:http:\/\/\S+:(\d+))\nThe log is at http:\/\/\S+\/audit\. Sign in as (\S+) with the password "(.+)"\.$/m

export async function runExample(example: string): Promise<RunningExample> {
  const main = join(import.meta.dirname, '..', example, 'main.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const told = await new Promise<Pick<RunningExample, 'url' | 'account'>>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk
        const [, port, name, password] = announcement.exec(output) ?? []
        if (name && password) resolve({ url: `http://127.0.0.1:${port}`, account: { name, password } })
      })
    }
    void ended.then(() => reject(new Error(`The example ${example} ended:\n${output}`)))
  })
  const { url } = told
  return {
    ...told,
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
