import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Moto } from '../../scripts/moto.ts'
import { write } from '../reader/readers.ts'
import { bundledScript } from '../support/bundled-script.ts'
import { createDatabase } from '../support/database.ts'
import { createBucket } from './archives.ts'
import { startMoto, withoutMoto } from './moto.ts'

/** Between which request and which answer a process dies. */
interface Step {
  readonly name: string
  readonly is: (request: IncomingMessage) => boolean
  /** Whether the store has done what it was asked for by then. */
  readonly isAnswered: boolean
}

const asks =
  (method: string, room: string) =>
  ({ method: given, url = '' }: IncomingMessage) =>
    given === method && url.includes(`/${room}/`)

/** What the store has of the batch then: nothing, its object, its manifest as well, and all of it confirmed. */
const steps: Step[] = [
  { name: 'putting the object', is: asks('PUT', 'entries'), isAnswered: false },
  { name: 'its object stored', is: asks('PUT', 'entries'), isAnswered: true },
  { name: 'its manifest stored', is: asks('PUT', 'manifests'), isAnswered: true },
  { name: 'about to acknowledge', is: asks('HEAD', 'manifests'), isAnswered: true },
]

describe.skipIf(withoutMoto)(`a shipper to S3${withoutMoto ? `: skipped, ${withoutMoto}` : ''}`, async () => {
  const moto = withoutMoto ? ({} as Moto) : await startMoto()
  const database = await createDatabase()
  const script = await bundledScript(new URL('s3-shipping-process.ts', import.meta.url))

  /** Passes requests on, and kills whoever is at a step with its second batch. */
  async function startProxy() {
    let step: Step | undefined
    const seen = new Set<string>()
    let child: ChildProcess | undefined
    const server = createServer((asked, answer) => {
      const isLast = step?.is(asked) === true && seen.add(asked.url ?? '').size === 2
      if (isLast && step?.isAnswered === false) return void child?.kill('SIGKILL')
      const { hostname, port } = new URL(moto.config.endpoint)
      const { method, url: path, headers } = asked
      const passed = request({ hostname, port, method, path, headers }, (given) => {
        if (isLast) return void child?.kill('SIGKILL')
        answer.writeHead(given.statusCode ?? 500, given.headers)
        given.pipe(answer)
      })
      passed.on('error', () => answer.destroy())
      asked.pipe(passed)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

    /** @returns how it ended */
    return async (bucket: string, killedAt: Step | undefined) => {
      step = killedAt
      seen.clear()
      child = spawn(process.execPath, [script, database.url, bucket, endpoint], {
        stdio: ['ignore', 'inherit', 'inherit'],
        env: { ...process.env, NODE_NO_WARNINGS: '1' },
      })
      const [code, signal] = await once(child, 'exit')
      return signal ?? code
    }
  }

  it('that is killed at every step has lost nothing and doubled nothing, with entries arriving meanwhile', {
    timeout: 180_000,
  }, async () => {
    const { bucket, rows, versions, manifests } = await createBucket(moto)
    const run = await startProxy()
    for (let n = 0; n < 30; n++) await write(database.pool, 'before.it', { n })
    let isArriving = true
    const arriving = (async () => {
      for (let n = 0; isArriving; n++) {
        await write(database.pool, 'meanwhile.entry', { n })
        await sleep(30)
      }
    })()
    const ends: unknown[] = []
    for (const step of steps) ends.push(await run(bucket, step))
    isArriving = false
    await arriving
    expect(await run(bucket, undefined)).toBe(0)
    expect(ends).toEqual(steps.map(() => 'SIGKILL'))
    const logged = await database.sql<{ id: string }>(
      'SELECT id FROM audit_logs ORDER BY transaction_id, seq',
    )
    expect((await rows()).map(({ id }) => id)).toEqual(logged.map(({ id }) => id))
    const stored = (await manifests()).length
    expect([(await versions('entries/')).length, (await versions('manifests/')).length]).toEqual([
      stored,
      stored,
    ])
  })
})
