import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ExactRow } from '../../src/index.ts'
import { lineRow } from '../../src/log/ndjson.ts'

/** A directory of the calling test's own, removed after it. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-sink-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** The rows in the files of a directory, in the order of their names. */
export async function rowsInFiles(directory: string): Promise<ExactRow[]> {
  const names = (await readdir(directory)).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')))
  return texts.flatMap(rowsOf)
}

/** Those of whole lines: the last one of a file may still be written. */
export function rowsOf(text: string): ExactRow[] {
  return text.split('\n').slice(0, -1).map(lineRow)
}

/** A request as a receiver sees it. */
export interface ReceivedRequest {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** What a receiver does with a request: the status that it answers, and whether it stores the batch first. */
export type ReceiverAnswer = {
  status: number
  stores: boolean
  headers?: Record<string, string>
  text?: string
}

/** Receives batches over HTTP, and stores each key once, as docs/shipping.md tells receivers to. */
export async function startReceiver(
  answer: (request: ReceivedRequest) => ReceiverAnswer | Promise<ReceiverAnswer> = () => ({
    status: 204,
    stores: true,
  }),
) {
  const requests: ReceivedRequest[] = []
  const stored = new Map<string, string>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const received = { headers: request.headers, body: Buffer.concat(chunks).toString() }
    requests.push(received)
    const { status, stores, headers = {}, text } = await answer(received)
    const key = String(request.headers['idempotency-key'] ?? randomUUID())
    if (stores && !stored.has(key)) stored.set(key, received.body)
    response.writeHead(status, headers).end(text)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/audit`,
    requests,
    rows: () => [...stored.values()].flatMap(rowsOf),
  }
}
