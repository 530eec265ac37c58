import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase, type Entry } from '../support/database.ts'
import { type App, frameworks, ways } from './apps.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

const uuid = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

describe.each(Object.entries(frameworks))('%s', (framework, start) => {
  let app: App
  beforeAll(async () => {
    app = await start(prisma)
  })
  afterAll(() => app.close())

  let number = 0
  const newName = () => `${framework} ${++number}`

  async function post(
    headers: Record<string, string>,
    { via = 'await', name = newName(), url = app.url } = {},
  ): Promise<{ response: Response; entry: Entry }> {
    const response = await fetch(`${url}/tags?via=${via}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'test/1.0', ...headers },
      body: JSON.stringify({ name }),
    })
    expect(response.status).toBe(201)
    const entries = await db.sql<Entry & Record<string, unknown>>(
      `SELECT * FROM audit_logs WHERE details -> 'after' ->> 'name' = $1`,
      [name],
    )
    expect(entries).toHaveLength(1)
    return { response, entry: entries[0] as Entry }
  }

  it.each(ways)('gives an entry that is written by way of %s who and where', async (via) => {
    const { response, entry } = await post({ authorization: 'ada', 'x-request-id': 'req-7' }, { via })
    expect(entry).toMatchObject({
      actor_id: 'ada',
      actor_type: 'user',
      organization_id: 'org of ada',
      request_id: 'req-7',
      ip: '127.0.0.1',
      user_agent: 'test/1.0',
    })
    expect(entry.details.metadata).toEqual({ path: '/tags' })
    expect(response.headers.get('x-request-id')).toBe('req-7')
  })

  it('makes a request id where there is none, and gives it back', async () => {
    const { response, entry } = await post({ authorization: 'ada' })
    expect(entry.request_id).toMatch(uuid)
    expect(response.headers.get('x-request-id')).toBe(entry.request_id)
  })

  it.each([
    ['10 kB long', 'x'.repeat(10_000)],
    ['129 characters long', 'x'.repeat(129)],
    ['with a space', 'a b'],
    ['with a tab', 'a\tb'],
    ['beyond ASCII', 'caf\u00e9'],
    ['empty', ''],
  ])('replaces a request id that is %s', async (_, id) => {
    const { response, entry } = await post({ 'x-request-id': id })
    expect(entry.request_id).toMatch(uuid)
    expect(response.headers.get('x-request-id')).toBe(entry.request_id)
  })

  it('takes the trace of the header traceparent', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const { entry } = await post({ traceparent: `00-${trace}-b7ad6b7169203331-01` })
    expect(entry.details.metadata).toEqual({ path: '/tags', traceId: trace })
  })

  it.each([
    'nonsense',
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `ff-${'a'.repeat(32)}-b7ad6b7169203331-01`,
  ])('ignores the traceparent %s', async (traceparent) => {
    const { entry } = await post({ traceparent })
    expect(entry.details.metadata).toEqual({ path: '/tags' })
  })

  it('does not believe x-forwarded-for', async () => {
    const { entry } = await post({ 'x-forwarded-for': '198.51.100.7' })
    expect(entry.ip).toBe('127.0.0.1')
  })

  it('believes it where the framework was told to trust the proxy', async () => {
    const trusting = await start(prisma, { trustProxy: true })
    try {
      const { entry } = await post({ 'x-forwarded-for': '2001:db8::7' }, { url: trusting.url })
      expect(entry.ip).toBe('2001:db8::7')
    } finally {
      await trusting.close()
    }
  })

  it('records an anonymous actor where nobody is signed in, not the system', async () => {
    const { entry } = await post({})
    expect(entry).toMatchObject({ actor_id: 'anonymous', actor_type: 'user', organization_id: null })
  })

  it('never mixes 200 requests at a time', { timeout: 60_000 }, async () => {
    const requests = Array.from({ length: 200 }, (_, index) => {
      const via = ways[index % ways.length] as string
      return post({ authorization: `user ${index}`, 'x-request-id': `req-${index}` }, { via })
    })
    const answers = await Promise.all(requests)
    expect(answers.map(({ entry }) => [entry.actor_id, entry.organization_id, entry.request_id])).toEqual(
      answers.map((_, index) => [`user ${index}`, `org of user ${index}`, `req-${index}`]),
    )
  })
})
