import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type AuditError, type ExactRow, startShipping, withAudit } from '../../src/index.ts'
import { lineRow } from '../../src/log/ndjson.ts'
import { type OpenTelemetryOptions, openTelemetry } from '../../src/sinks/opentelemetry.ts'
import { sinkContract } from '../../src/sinks/sink-contract.ts'
import { until, untilReadable, write } from '../reader/readers.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'

/** A log record in OTLP's JSON. */
interface OtlpRecord {
  readonly timeUnixNano: string
  readonly observedTimeUnixNano: string
  readonly severityNumber: number
  readonly severityText: string
  readonly eventName: string
  readonly body: { readonly stringValue: string }
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[]
}

interface OtlpRequest {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: OtlpRecord['attributes'] }
    readonly scopeLogs: readonly { readonly scope: { name: string }; readonly logRecords: OtlpRecord[] }[]
  }[]
}

interface OtlpResponse {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** Receives OTLP over HTTP, in JSON. What it answers with a status of 2xx it has stored, but for what `body` says is rejected. */
async function startOtlpReceiver(
  answer: () => OtlpResponse | Promise<OtlpResponse> = () => ({ status: 200 }),
) {
  const requests: OtlpRequest[] = []
  const stored: OtlpRecord[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
    const sent = JSON.parse(String(text)) as OtlpRequest
    requests.push(sent)
    const { status, body = {}, headers } = await answer()
    const { rejectedLogRecords = 0 } =
      (body as { partialSuccess?: { rejectedLogRecords?: number } }).partialSuccess ?? {}
    const records = recordsOf(sent)
    if (status < 300) stored.push(...records.slice(0, records.length - Number(rejectedLogRecords)))
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`
  /** Each entry once, by its id. */
  const rows = (): ExactRow[] => [
    ...new Map(
      stored.map((record) => [attributesOf(record)['log.record.uid'], lineRow(record.body.stringValue)]),
    ).values(),
  ]
  return { url, requests, stored, rows }
}

function recordsOf({ resourceLogs }: OtlpRequest): OtlpRecord[] {
  return resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
}

function attributesOf({ attributes }: Pick<OtlpRecord, 'attributes'>): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]))
}

function sinkTo(url: string, options: Partial<OpenTelemetryOptions> = {}) {
  const exporter = new OTLPLogExporter({ url, timeoutMillis: 500 })
  return openTelemetry({ name: unique('otel'), exporter, ...options })
}

describe('openTelemetry', async () => {
  const database = await createDatabase()
  const prisma = withAudit(createClient(database.url))

  async function ship(sink: ReturnType<typeof openTelemetry>) {
    await untilReadable(database) // or it could be more batches than a test expects
    const errors: AuditError[] = []
    const shipping = await startShipping(prisma, {
      ...{ sinks: [sink], pollInterval: 20, onError: (error: AuditError) => errors.push(error) },
    })
    onTestFinished(() => shipping.stop())
    return { errors, isDone: async () => (await shipping.metrics())[0]?.lag.entries === 0 }
  }

  describe('the contract', () => {
    const prepare = async () => {
      const { url, rows } = await startOtlpReceiver()
      return { create: () => sinkTo(url), read: async () => rows() }
    }
    for (const { name, check } of sinkContract(prepare)) it(name, check)
  })

  it('sends each entry as an event, with what OpenTelemetry has a name for under that name', async () => {
    vi.stubEnv('OTEL_SERVICE_NAME', 'shop')
    const { url, requests, stored } = await startOtlpReceiver()
    await database.sql(`INSERT INTO audit_logs (id, timestamp, action, actor_id, actor_type, actor_email, resource_type,
        resource_id, outcome, reason, details, request_id, ip, user_agent, organization_id)
      VALUES ('01890000-0000-7000-8000-000000000001', '2026-01-02T03:04:05.123456Z', 'user.login', 'ada', 'user',
        'ada@example.com', 'user', 'ada', 'failure', 'wrong password', '{"n": 12345678901234567890.10}', 'r1',
        '203.0.113.7', 'curl/8', 'acme')`)
    const { errors, isDone } = await ship(
      sinkTo(url, { resource: { 'deployment.environment.name': 'production' } }),
    )
    await until(isDone, 'all should be stored')
    expect(errors).toEqual([])
    const record = stored.at(-1) as OtlpRecord
    expect(record).toMatchObject({
      ...{ timeUnixNano: '1767323045123456000', eventName: 'user.login' },
      ...{ severityNumber: 13, severityText: 'WARN' },
    })
    expect(lineRow(record.body.stringValue).details).toBe('{"n": 12345678901234567890.10}')
    const [row] = await database.sql<{ seq: string; transaction_id: string }>(
      `SELECT seq::text, transaction_id::text FROM audit_logs WHERE action = 'user.login'`,
    )
    expect(attributesOf(record)).toEqual({
      ...{ 'audit.log': 'public.audit_logs', 'audit.batch': '1' },
      ...{ 'log.record.uid': '01890000-0000-7000-8000-000000000001' },
      ...{ 'audit.seq': row?.seq, 'audit.transaction.id': row?.transaction_id },
      'audit.action': 'user.login',
      ...{ 'audit.actor.id': 'ada', 'audit.actor.type': 'user', 'audit.actor.email': 'ada@example.com' },
      ...{ 'audit.resource.type': 'user', 'audit.resource.id': 'ada', 'audit.outcome': 'failure' },
      ...{ 'audit.reason': 'wrong password', 'audit.request.id': 'r1', 'audit.organization.id': 'acme' },
      ...{ 'client.address': '203.0.113.7', 'user_agent.original': 'curl/8' },
    })
    const [sent] = requests.at(-1)?.resourceLogs ?? []
    expect(attributesOf((sent as OtlpRequest['resourceLogs'][number]).resource)).toMatchObject({
      'service.name': 'shop',
      'deployment.environment.name': 'production',
    })
    expect(sent?.scopeLogs.map(({ scope }) => scope.name)).toEqual(['prisma-extension-audit'])
  })

  it('does not take a part for the whole, and sends the batch again', async () => {
    await write(database.pool, 'first.entry')
    const answers: OtlpResponse[] = [
      // an int64, so a string in JSON
      { status: 200, body: { partialSuccess: { rejectedLogRecords: '1', errorMessage: 'too old' } } },
    ]
    const { url, rows } = await startOtlpReceiver(() => answers.shift() ?? { status: 200 })
    const sink = sinkTo(url)
    const [entry] = await database.sql<{ count: number }>('SELECT count(*)::int AS count FROM audit_logs')
    const { errors } = await ship(sink)
    await until(() => errors.length > 0, 'it should be refused')
    expect(errors[0]).toMatchObject({
      code: 'AUDIT_SINK_REFUSED',
      message: expect.stringContaining(`the receiver rejected 1 of ${entry?.count} records: too old`),
    })
    expect(rows()).toHaveLength((entry?.count ?? 0) - 1)
    // as the next attempt does, after a minute
    const again = await ship({ ...sink, name: unique('otel') })
    await until(again.isDone, 'all should be stored')
    expect(rows()).toHaveLength(entry?.count ?? 0)
  })

  it('passes on a warning of a receiver that took everything', async () => {
    await write(database.pool, 'some.entry')
    const warnings: (Error & { code?: string })[] = []
    const listen = (warning: Error) => warnings.push(warning)
    process.on('warning', listen)
    onTestFinished(() => void process.off('warning', listen))
    const { url } = await startOtlpReceiver(() => ({
      ...{ status: 200, body: { partialSuccess: { errorMessage: 'use gzip' } } },
    }))
    const { errors, isDone } = await ship(sinkTo(url))
    await until(isDone, 'all should be stored')
    await until(() => warnings.length > 0, 'a warning should come')
    expect(errors).toEqual([])
    expect(warnings[0]).toMatchObject({
      code: 'AUDIT_RECEIVER_WARNING',
      message: expect.stringContaining('took all records, and says: use gzip'),
    })
  })

  it.each<[string, OtlpResponse, string, string]>([
    ['400', { status: 400, body: { message: 'no such tenant' } }, 'AUDIT_SINK_REFUSED', 'no such tenant'],
    ['401', { status: 401 }, 'AUDIT_SINK_REFUSED', '401'],
    ['413', { status: 413 }, 'AUDIT_SINK_REFUSED', '413'],
    ['500', { status: 500 }, 'AUDIT_SINK_AWAY', '500'],
    ['503', { status: 503, headers: { 'retry-after': '60' } }, 'AUDIT_SINK_AWAY', 'the export failed'],
  ])('says what is wrong when it gets %s', async (_, answer, code, reason) => {
    await write(database.pool, 'some.entry')
    const { url, stored } = await startOtlpReceiver(() => answer)
    const { errors } = await ship(sinkTo(url))
    await until(() => errors.length > 0, 'it should fail')
    expect(errors[0]).toMatchObject({ code, message: expect.stringContaining(reason) })
    expect(stored).toEqual([])
  })

  it('says so when nobody answers', async () => {
    await write(database.pool, 'some.entry')
    const { errors } = await ship(sinkTo('http://127.0.0.1:1/v1/logs'))
    await until(() => errors.length > 0, 'it should fail')
    expect(errors[0]).toMatchObject({ code: 'AUDIT_SINK_AWAY' })
  })

  it('does not wait for an answer once shipping stops', async () => {
    await write(database.pool, 'some.entry')
    const { url, requests } = await startOtlpReceiver(async () =>
      sleep(20_000, { status: 200 }, { ref: false }),
    )
    const sink = openTelemetry({ name: unique('otel'), exporter: new OTLPLogExporter({ url }) })
    const shipping = await startShipping(prisma, { sinks: [sink], pollInterval: 20, onError: () => {} })
    await until(() => requests.length > 0, 'it should send')
    const began = performance.now()
    await shipping.stop()
    expect(performance.now() - began).toBeLessThan(5_000) // the exporter would wait for ten seconds
  })

  it('refuses an OTLP exporter that hides what receivers reject, and trusts another kind', async () => {
    class OTLPExporterToCome {
      export() {}
      async shutdown() {}
    }
    expect(() => openTelemetry({ exporter: new OTLPExporterToCome() })).toThrow(
      expect.objectContaining({
        code: 'AUDIT_INVALID_OPTIONS',
        message: expect.stringContaining('does not let the sink see which records a receiver rejects'),
      }),
    )
    await write(database.pool, 'some.entry')
    let isUp = false
    const seen: string[] = []
    const exporter: OpenTelemetryOptions['exporter'] = {
      export: (records, done) => {
        if (isUp) seen.push(...records.map(({ eventName }) => eventName))
        done(isUp ? { code: 0 } : { code: 1, error: new Error('not yet') })
        isUp = true
      },
      shutdown: async () => {},
    }
    const { errors, isDone } = await ship(openTelemetry({ name: unique('otel'), exporter }))
    await until(isDone, 'all should be stored')
    expect(errors).toMatchObject([
      { code: 'AUDIT_SINK_AWAY', message: expect.stringContaining('the export failed (not yet)') },
    ])
    expect(seen).toContain('some.entry')
  })
})
