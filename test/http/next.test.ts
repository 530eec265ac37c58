import { describe, expect, it } from 'vitest'
import { withRequestContext } from '../../src/http/next.ts'
import { getAuditContext, withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('work of a route handler or a server action', () => {
  it('gives its entries who acts and where from', async () => {
    const database = await createDatabase()
    const prisma = withAudit(createClient(database.url))
    const headers = new Headers({
      'x-request-id': 'request-1',
      'user-agent': 'a browser',
      'x-real-ip': '203.0.113.7',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    })
    const options = {
      actor: () => ({ id: 'ada', type: 'user' }) as const,
      organizationId: () => 'acme',
      ip: (given: Pick<Headers, 'get'>) => given.get('x-real-ip') ?? undefined,
    }
    const tag = await withRequestContext(headers, options, async (requestId) => {
      expect(requestId).toBe('request-1')
      return prisma.tag.create({ data: { name: 'next' } })
    })
    expect(tag).toMatchObject({ name: 'next' })
    expect(await database.entries()).toMatchObject([
      {
        action: 'tag.create',
        actor_id: 'ada',
        actor_type: 'user',
        organization_id: 'acme',
        request_id: 'request-1',
        user_agent: 'a browser',
        ip: '203.0.113.7',
        details: { metadata: { traceId: '0af7651916cd43dd8448eb211c80319c' } },
      },
    ])
  })

  it.each(['a'.repeat(10_240), 'with space', ''])(
    'gets an id of its own where %.12j came with it',
    (given) => {
      const id = withRequestContext(new Headers({ 'x-request-id': given }), {}, (requestId) => requestId)
      expect(id).toMatch(uuidV7)
    },
  )

  it('has no address unless the option ip gives one: x-forwarded-for is never believed', () => {
    const headers = new Headers({ 'x-forwarded-for': '203.0.113.7' })
    expect(withRequestContext(headers, {}, () => getAuditContext()?.ip)).toBeUndefined()
  })

  it('takes the id from the header of that name', () => {
    const headers = new Headers({ 'x-correlation-id': 'c-1', 'x-request-id': 'r-1' })
    const options = { requestIdHeader: 'X-Correlation-Id' }
    expect(withRequestContext(headers, options, (requestId) => requestId)).toBe('c-1')
  })
})
