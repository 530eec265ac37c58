import { afterAll, beforeAll, expect, it } from 'vitest'
import { basic, expectHistory } from '../shared/log-of-example.ts'
import { type RunningExample, runExample } from '../shared/run-example.ts'

let app: RunningExample
beforeAll(async () => {
  app = await runExample('hono')
})
afterAll(() => app.stop())

const headers = { 'x-api-key': 'open sesame' }

it('gives a note as it was before it was rewritten', async () => {
  const { status, body } = await app.request('POST', '/notes', {
    headers,
    body: { title: 'Plan', text: 'sail', tags: ['sea', 'summer'] },
  })
  expect(status).toBe(201)
  const { id } = body as { id: string }
  const before = new Date().toISOString()
  expect((await app.request('PATCH', `/notes/${id}`, { headers, body: { text: 'row' } })).status).toBe(200)

  expect((await app.request('GET', '/notes', { headers })).body).toMatchObject([
    { text: 'row', tags: [{ name: 'sea' }, { name: 'summer' }] },
  ])
  const past = await app.request('GET', `/notes/${id}/at/${before}`, { headers })
  expect(past.body).toEqual({ id, title: 'Plan', text: 'sail', teamId: 'crew' })

  expect((await app.request('DELETE', `/notes/${id}`, { headers })).status).toBe(204)
  const gone = await app.request('GET', `/notes/${id}/at/${new Date().toISOString()}`, { headers })
  expect(gone.status).toBe(404)
  expect((await app.request('GET', `/notes/${id}/at/${before}`, { headers })).status).toBe(200)
})

it('lets nobody in without a key', async () => {
  expect((await app.request('GET', '/notes')).status).toBe(401)
})

it('prints the account that sees the log of its team, which begins with weeks of history; / leads there', async () => {
  expect((await app.request('GET', '/audit')).status).toBe(401)
  const wrong = basic({ ...app.account, password: 'close sesame' })
  expect((await app.request('GET', '/audit/api/entries', { headers: wrong })).status).toBe(401)
  await expectHistory(app, basic(app.account))
})
