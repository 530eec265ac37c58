import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningExample, runExample } from '../shared/run-example.ts'

const port = 20_000 + (process.pid % 20_000)
let desk: RunningExample
let authorization: string

beforeAll(async () => {
  process.env.WAREHOUSE_PORT = String(port)
  desk = await runExample('fastapi')
  const { name: email, password } = desk.account
  const { body } = await desk.request('POST', '/login', { body: { email, password } })
  authorization = `Bearer ${(body as { token: string }).token}`
})
afterAll(() => desk.stop())

async function warehouse(
  method: string,
  path: string,
  options: { body?: object; key?: string; id?: string } = {},
) {
  const { body, key = 'let-me-count', id = 'req-1' } = options
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'x-api-key': key, 'x-request-id': id },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json')
  return {
    status: response.status,
    id: response.headers.get('x-request-id'),
    body: isJson ? JSON.parse(text) : text,
  }
}

/** The newest entries, as the web page of the order desk asks for them. */
async function onThePage(filter: string): Promise<unknown[]> {
  const { body } = await desk.request('GET', `/audit/api/entries?${filter}`, { headers: { authorization } })
  const { entries } = body as { entries: { details: string }[] }
  return entries.map((entry) => ({ ...entry, details: JSON.parse(entry.details) }))
}

it('both services change one product, and each tells what both did', async () => {
  await desk.request('POST', '/orders', {
    headers: { authorization },
    body: { customer: 'Carla', lines: [{ sku: 'POT', quantity: 1 }] },
  })
  const counted = await warehouse('PUT', '/products/POT/stock', { body: { counted: 7, note: 'stocktaking' } })
  expect(counted).toEqual({ status: 200, id: 'req-1', body: { stock: 7 } })

  const told = [
    { action: 'product.count', actor: 'scanner-1', reason: 'stocktaking', changes: {} },
    {
      action: 'product.update',
      actor: 'scanner-1',
      reason: 'stocktaking',
      changes: { stock: [expect.any(Number), 7] },
    },
    {
      action: 'product.update',
      actor: '1',
      reason: null,
      changes: { stock: [expect.any(Number), expect.any(Number)] },
    },
  ]
  const { body } = await warehouse('GET', '/products/POT/history')
  expect(body.entries.slice(0, 3)).toMatchObject(told)

  const shown = await onThePage('resource=product&id=POT')
  expect(shown.slice(0, 3)).toMatchObject([
    {
      action: 'product.count',
      actor: { id: 'scanner-1', type: 'api_key' },
      requestId: 'req-1',
      ip: '127.0.0.1',
      details: { difference: expect.any(Number) },
    },
    {
      action: 'product.update',
      actor: { id: 'scanner-1', type: 'api_key' },
      requestId: 'req-1',
      details: { source: { role: 'warehouse' } },
    },
    { action: 'product.update', actor: { id: '1', type: 'user', email: 'ada@example.com' } },
  ])
})

it('an export that was streamed is recorded with its request', async () => {
  const { body } = await warehouse('GET', '/products.csv', { id: 'req-csv' })
  expect(body).toMatch(/^sku,price,stock\nCUP,12\.00,\d+\n/)
  expect(await onThePage('action=product.export')).toMatchObject([
    { actor: { id: 'scanner-1' }, requestId: 'req-csv', details: { format: 'csv' } },
  ])
})

it('whoever has no key gets nowhere, and that is recorded', async () => {
  expect((await warehouse('GET', '/products.csv', { key: 'guess', id: 'req-guess' })).status).toBe(401)
  expect(await onThePage('action=apiKey.use')).toMatchObject([
    { actor: { id: 'anonymous' }, outcome: 'failure', reason: 'unknown key', requestId: 'req-guess' },
  ])
})
