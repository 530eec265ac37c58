import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectHistory } from '../shared/log-of-example.ts'
import { type RunningExample, runExample } from '../shared/run-example.ts'

let app: RunningExample
let started: string
beforeAll(async () => {
  app = await runExample('express')
  started = new Date().toISOString()
})
afterAll(() => app.stop())

async function login(name: string, password = name) {
  const answer = await app.request('POST', '/login', { body: { email: `${name}@example.com`, password } })
  return {
    status: answer.status,
    headers: { authorization: `Bearer ${(answer.body as { token?: string }).token}` },
  }
}

it('tells the life of an order: who made, shipped and refunded it, and why', async () => {
  const ada = await login('ada')
  const bob = await login('bob')

  const created = await app.request('POST', '/orders', {
    ...bob,
    body: {
      customer: 'Carla',
      lines: [
        { sku: 'TEA', quantity: 2 },
        { sku: 'CUP', quantity: 1 },
      ],
    },
  })
  expect(created).toMatchObject({ status: 201, body: { id: 1, customer: 'Carla', status: 'OPEN' } })
  expect((await app.request('PATCH', '/orders/1', { ...bob, body: { status: 'SHIPPED' } })).status).toBe(200)

  const refused = await app.request('POST', '/orders/1/refund', { ...bob, body: { reason: 'broken' } })
  expect(refused.status).toBe(403)
  const refund = await app.request('POST', '/orders/1/refund', { ...ada, body: { reason: 'arrived broken' } })
  expect(refund).toMatchObject({ status: 201, body: { orderId: 1, amount: '21' } })
  // a second one violates the key of Refund: all of it is rolled back
  expect((await app.request('POST', '/orders/1/refund', { ...ada, body: { reason: 'again' } })).status).toBe(
    500,
  )

  const { body } = await app.request('GET', '/orders/1/history', ada)
  expect(body).toMatchObject([
    { action: 'order.refund', actor: { id: '1' }, reason: 'arrived broken' },
    {
      action: 'order.update',
      actor: { id: '1', type: 'user', email: 'ada@example.com' },
      reason: 'arrived broken',
      changes: [{ field: 'status', from: 'SHIPPED', to: 'REFUNDED' }],
    },
    {
      action: 'order.update',
      actor: { id: '2' },
      changes: [{ field: 'status', from: 'OPEN', to: 'SHIPPED' }],
    },
    { action: 'order.create', actor: { id: '2', type: 'user', email: 'bob@example.com' } },
  ])
})

it('lets managers export, and only them', async () => {
  expect((await app.request('GET', '/orders.csv', await login('bob'))).status).toBe(403)
  const csv = await app.request('GET', '/orders.csv', await login('ada'))
  expect(csv.body).toBe('id,customer,status\n1,"Carla",REFUNDED\n')
})

it('refuses a wrong password', async () => {
  expect((await login('ada', 'wrong')).status).toBe(401)
  expect((await app.request('GET', '/orders')).status).toBe(401)
})

it('answers each request with its id', async () => {
  const answer = await app.request('GET', '/orders', { headers: { 'x-request-id': 'req-42' } })
  expect(answer.headers.get('x-request-id')).toBe('req-42')
})

it('shows the log to managers in their browsers, and to nobody else', async () => {
  expect((await app.request('GET', '/audit')).status).toBe(401)
  expect((await app.request('GET', '/audit/api/entries')).status).toBe(401)
  expect((await app.request('GET', '/audit', await login('bob'))).status).toBe(403)
  expect((await app.request('GET', '/audit/api/entries', await login('bob'))).status).toBe(403)

  const signedIn = await fetch(`${app.url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ email: 'ada@example.com', password: 'ada' }),
    redirect: 'manual',
  })
  expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/audit'])
  const cookie = signedIn.headers.getSetCookie()[0] ?? ''
  expect(cookie).toMatch(/^session=[\da-f-]{36}; Path=\/; HttpOnly; SameSite=Strict$/)

  const headers = { cookie: cookie.split(';')[0] ?? '' }
  const page = await app.request('GET', '/audit', { headers })
  expect(page.status).toBe(200)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  const [script = ''] = /\/audit\/assets\/page\.js[^"]*/.exec(page.body as string) ?? []
  expect((await app.request('GET', script, { headers })).headers.get('content-type')).toMatch('javascript')

  // those of the weeks before are in the log, too
  const logins = `/audit/api/entries?outcome=failure&action=user.login&from=${started}`
  const failed = await app.request('GET', logins, { headers })
  expect(failed.body).toMatchObject({
    entries: [{ action: 'user.login', outcome: 'failure', reason: 'wrong password', ip: '127.0.0.1' }],
  })
  expect((await app.request('POST', '/audit/api/entries', { headers })).status).toBe(405)
})

it('prints the account that sees the log, which begins with weeks of history; / leads there', async () => {
  const signedOut = await fetch(app.url, { redirect: 'manual' })
  expect([signedOut.status, signedOut.headers.get('location')]).toEqual([302, '/login'])

  const { name: email, password } = app.account
  const answer = await app.request('POST', '/login', { body: { email, password } })
  const { token } = answer.body as { token: string }
  await expectHistory(app, { authorization: `Bearer ${token}` })
})
