import { describe, expect, it } from 'vitest'
import { logMigrations } from '../../src/cli/log-migrations.ts'
import { withAudit } from '../../src/index.ts'
import { auditPage } from '../../src/ui/index.ts'
import type { WireEntry, WirePage } from '../../src/ui/wire.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { insertSamples, minute } from './entries.ts'

const database = await createDatabase()
const ids = await insertSamples(database, [
  { at: minute(0), action: 'order.create', details: { after: { id: 1, total: '10.00' } } },
  {
    at: minute(1),
    details: { before: { id: 1 }, after: { id: 1 }, changed: ['total'] },
    organizationId: 'shop',
  },
  { at: minute(1), action: 'order.delete', resource: { id: '2' }, requestId: 'req-7', transactionId: 77 },
  {
    at: minute(2),
    action: 'user.login',
    actor: { id: 'bob' },
    outcome: 'failure',
    reason: 'wrong 100% password',
  },
  { at: minute(3), action: 'report.export', actor: { id: 'key', type: 'api_key' }, resource: { id: null } },
])
const names = ['create', 'update', 'delete', 'login', 'export']

const errors: unknown[] = []
const page = auditPage(database.url, { onError: (error) => errors.push(error) })
const get = (path: string, init?: RequestInit) => page(new Request(`http://localhost${path}`, init))
const json = async (path: string) => (await get(path)).json()

/** The entries of a page by the names above. */
async function found(query: string): Promise<(string | undefined)[]> {
  const { entries } = (await json(`/api/entries?${query}`)) as WirePage
  return entries.map(({ id }) => names[ids.indexOf(id)])
}

describe('the document', () => {
  it('is HTML that takes everything from the place where it is mounted', async () => {
    const mounted = auditPage(database.url, { basePath: '/admin/audit/' })
    const response = await mounted(new Request('http://localhost/admin/audit'))
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const html = await response.text()
    expect(html).toContain('data-base="/admin/audit"')
    const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address as string)
    expect(addresses.length).toBe(3)
    for (const address of addresses) {
      expect(address).toMatch(/^\/admin\/audit\/assets\//)
      const asset = await mounted(new Request(`http://localhost${address}`))
      expect(asset.status).toBe(200)
      expect(asset.headers.get('cache-control')).toContain('immutable')
    }
    expect(html).not.toMatch(/<style|<script>|style=|onclick/)
  })

  it('is found when the framework has taken the base path off, as Hono does', async () => {
    const mounted = auditPage(database.url, { basePath: '/audit' })
    expect((await mounted(new Request('http://localhost/'))).status).toBe(200)
    expect((await mounted(new Request('http://localhost/api/overview'))).status).toBe(200)
  })
})

describe('every answer', () => {
  it.each(['/', '/api/entries', '/api/overview', '/assets/page.js', '/nothing', '/api/entries?limit=0'])(
    'of %s has strict headers',
    async (path) => {
      const { headers } = await get(path)
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      )
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
    },
  )

  it('of the data is stored by nobody', async () => {
    expect((await get('/api/entries')).headers.get('cache-control')).toBe('no-store')
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const response = await get('/api/entries', { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
  })

  it('to HEAD has no body', async () => {
    const response = await get('/', { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  })

  it('to HEAD has every header once, as to GET', async () => {
    for (const path of ['/', '/api/entries', '/api/export?format=csv', '/nothing']) {
      const [head, whole] = [await get(path, { method: 'HEAD' }), await get(path)]
      expect([head.status, [...head.headers]]).toEqual([whole.status, [...whole.headers]])
    }
  })

  it.each([
    '/nothing',
    '/api',
    '/api/nothing',
    '/assets/../index.js',
    '/assets/constructor',
    '/api/entries/x/y',
  ])('to %s is 404', async (path) => {
    expect((await get(path)).status).toBe(404)
  })
})

describe('entries', () => {
  it('are given newest first, as they are stored', async () => {
    expect(await found('')).toEqual(['export', 'login', 'delete', 'update', 'create'])
    const { entries } = (await json('/api/entries?action=order.create')) as WirePage
    expect(entries).toEqual([
      {
        id: ids[0],
        timestamp: '2026-03-01T10:00:00.000000Z',
        action: 'order.create',
        actor: { id: 'ada', type: 'user', email: null },
        resource: { type: 'order', id: '1' },
        outcome: 'success',
        reason: null,
        details: '{"after": {"id": 1, "total": "10.00"}}',
        shortened: false,
        requestId: null,
        ip: null,
        userAgent: null,
        organizationId: null,
        seq: '1',
        transactionId: '1000',
      },
    ])
  })

  it.each([
    ['resource=order', ['delete', 'update', 'create']],
    ['resource=order&id=1', ['update', 'create']],
    ['id=2', ['delete']],
    ['actor=bob', ['login']],
    ['actor=bob&resource=order', []],
    ['action=order.*', ['delete', 'update', 'create']],
    ['action=*.login', ['login']],
    ['action=*', ['export', 'login', 'delete', 'update', 'create']],
    ['action=order.delete&actor=ada', ['delete']],
    ['action=nothing.*', []],
    ['action=nothing', []],
    ['outcome=failure', ['login']],
    ['request=req-7', ['delete']],
    ['transaction=77', ['delete']],
    ['organization=shop', ['update']],
    ['organization=shop&outcome=failure', []],
    [`from=${minute(1)}&to=${minute(3)}`, ['login', 'delete', 'update']],
    [`to=${minute(1)}`, ['create']],
    [`actor=ada&from=${minute(1)}`, ['delete', 'update']],
    ['text=WRONG 100%25', ['login']],
    ['text=o_der', []],
    ['text=10.00&action=order.*', ['create']],
    [`text=' OR 1=1 --`, []],
  ])('are filtered by %s', async (query, expected) => {
    expect(await found(query)).toEqual(expected)
  })

  it('are paged without a gap or a repeat, also among entries of one moment', async () => {
    for (const query of ['', 'resource=order', 'action=*', 'text=a', 'actor=ada', 'outcome=success']) {
      const whole = await found(query)
      const paged: (string | undefined)[] = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const { entries, nextCursor } = (await json(
          `/api/entries?${query}&limit=1&cursor=${cursor}`,
        )) as WirePage
        expect(entries.length).toBe(1)
        paged.push(...entries.map(({ id }) => names[ids.indexOf(id)]))
        cursor = nextCursor
      }
      expect(paged).toEqual(whole)
    }
  })

  it('are paged with the filter that a cursor comes from, and no other', async () => {
    const { nextCursor } = (await json('/api/entries?actor=ada&limit=1')) as WirePage
    expect((await get(`/api/entries?actor=ada&limit=9&cursor=${nextCursor}`)).status).toBe(200)
    for (const query of ['', 'actor=bob', 'actor=ada&outcome=success']) {
      const response = await get(`/api/entries?${query}&cursor=${nextCursor}`)
      expect(await response.json()).toEqual({
        error: { code: 'INVALID_REQUEST', message: '"cursor" is not one from this page.' },
      })
    }
  })

  it('keep every digit, in the time and in numbers', async () => {
    const [id] = await insertSamples(database, [{ at: '2020-01-01T00:00:00.123456Z', action: 'meter.read' }])
    await database.sql(
      `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type, details)
       VALUES (gen_random_uuid(), '2020-01-02', 'meter.set', 'ada', 'user', 'meter', '{"after": {"n": 123456789012345678901.50}}')`,
    )
    const read = (await json(`/api/entries/${id}`)) as WireEntry
    expect(read.timestamp).toBe('2020-01-01T00:00:00.123456Z')
    const { entries } = (await json('/api/entries?action=meter.set')) as WirePage
    expect(entries[0]?.details).toBe('{"after": {"n": 123456789012345678901.50}}')
  })

  it('with long details come without them in a list, and with them by themselves', async () => {
    // hex of a sequence does not compress below the limit
    const long = Array.from({ length: 6000 }, (_, index) => (index * 7919).toString(36)).join('')
    const [id] = await insertSamples(database, [
      { at: '2020-02-01T00:00:00Z', action: 'note.update', details: { before: { long }, changed: ['long'] } },
    ])
    const { entries } = (await json('/api/entries?action=note.update')) as WirePage
    expect(entries[0]).toMatchObject({ details: '{"changed": ["long"]}', shortened: true })
    expect(await json(`/api/entries/${id}`)).toMatchObject({
      shortened: false,
      details: expect.stringContaining(long),
    })
  })

  it('are 404 when there is none of an id', async () => {
    const response = await get('/api/entries/01900000-0000-7000-8000-000000000000')
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({
      error: { code: 'NOT_FOUND', message: 'The log has no entry with this id.' },
    })
  })
})

describe('a request that cannot be answered', () => {
  it.each([
    ['/api/entries?limit=0', '"limit" must be a whole number from 1 to 500.'],
    ['/api/entries?limit=501', '"limit" must be a whole number from 1 to 500.'],
    ['/api/entries?limit=1e9', '"limit" must be a whole number from 1 to 500.'],
    ['/api/entries?cursor=abc', '"cursor" is not one from this page.'],
    ['/api/entries?outcome=perhaps', '"outcome" must be "success" or "failure".'],
    ['/api/entries?transaction=1;', '"transaction" must be a whole number, as an entry has it.'],
    ['/api/entries?from=yesterday', '"from" must be a time in ISO 8601, such as 2026-01-31T12:00:00Z.'],
    ['/api/entries?to=2026-99-01T00:00Z', '"to" must be a time in ISO 8601, such as 2026-01-31T12:00:00Z.'],
    [
      '/api/entries?from=2026-02-31T00:00:00Z',
      '"from" must be a time in ISO 8601, such as 2026-01-31T12:00:00Z.',
    ],
    [`/api/entries?text=${'x'.repeat(501)}`, '"text" is longer than 500 characters.'],
    ['/api/entries?actor=%00', '"actor" has a character with code zero.'],
    ['/api/entries/1', 'The id of an entry is a UUID.'],
    ['/api/activity?buckets=4000', '"buckets" must be a whole number from 1 to 400.'],
  ])('%.60s is 400 and says why', async (path, message) => {
    const response = await get(path)
    expect(await response.json()).toEqual({ error: { code: 'INVALID_REQUEST', message } })
    expect(response.status).toBe(400)
    expect(errors).toEqual([])
  })

  it('says what to do when the table is missing, and tells onError', async () => {
    const failures: unknown[] = []
    const missing = auditPage(database.url, { table: 'nowhere', onError: (error) => failures.push(error) })
    const response = await missing(new Request('http://localhost/api/entries'))
    expect(response.status).toBe(500)
    expect(await response.json()).toEqual({
      error: {
        code: 'SQLSTATE_42P01',
        message:
          'The table of the audit log is not in this database. Apply its migration, or name the table: --table, or the option `table`.',
      },
    })
    expect(failures.length).toBe(1)
  })

  it('shows nothing of the connection string', async () => {
    for (const url of [
      'postgresql://carol:s3cret@127.0.0.1:1/hidden',
      database.url.replace('postgres:postgres@', 'carol:s3cret@'),
    ]) {
      const response = await auditPage(url)(new Request('http://localhost/api/entries'))
      expect(response.status).toBe(500)
      expect(await response.text()).not.toMatch(/carol|s3cret|127\.0\.0\.1|hidden/)
    }
  })
})

describe('the data', () => {
  it('counts entries over time', async () => {
    const from = minute(0)
    expect(await json(`/api/activity?from=${from}&to=${minute(4)}&buckets=4`)).toEqual({
      bucket: 60_000,
      counts: [
        [Date.parse(minute(0)), 1, 0],
        [Date.parse(minute(1)), 2, 0],
        [Date.parse(minute(2)), 0, 1],
        [Date.parse(minute(3)), 1, 0],
      ],
      sample: 1,
      ignored: [],
    })
    expect(await json('/api/activity?actor=bob&text=x')).toMatchObject({
      counts: [[Date.parse(minute(2)), 0, 1]],
      ignored: ['text'],
    })
    expect(await json('/api/activity?action=nothing.*')).toMatchObject({ counts: [] })
  })

  it('lists what there is to filter by', async () => {
    const overview = (await json('/api/overview')) as { actions: string[]; resourceTypes: string[] }
    expect(overview).toMatchObject({ name: expect.stringMatching(/^audit_test_\w+ · audit_logs$/) })
    expect(overview.actions).toEqual(expect.arrayContaining(['order.create', 'user.login', 'report.export']))
    expect(overview.resourceTypes).toEqual(expect.arrayContaining(['order', 'report', 'user']))
    expect(overview).toMatchObject({
      actors: expect.arrayContaining([
        { id: 'bob', type: 'user', email: null },
        { id: 'key', type: 'api_key', email: null },
      ]),
    })
  })

  it('groups failed logins by who and from where', async () => {
    const at = (seconds: number) => `2021-05-01T00:00:0${seconds}Z`
    await insertSamples(
      database,
      (
        [
          ['eve', '203.0.113.1'],
          ['eve', '203.0.113.2'],
          ['mallory', '203.0.113.1'],
        ] as const
      ).map(([id, ip], index) => ({
        ...{ at: at(index), ip, actor: { id } },
        ...({ action: 'admin.login', outcome: 'failure' } as const),
      })),
    )
    expect(await json('/api/failed-logins?to=2022-01-01T00:00:00Z')).toEqual({
      counted: 3,
      complete: true,
      actors: [
        { key: 'eve', count: 2, others: 2, newest: '2021-05-01T00:00:01.000000Z' },
        { key: 'mallory', count: 1, others: 1, newest: '2021-05-01T00:00:02.000000Z' },
      ],
      addresses: [
        { key: '203.0.113.1', count: 2, others: 2, newest: '2021-05-01T00:00:02.000000Z' },
        { key: '203.0.113.2', count: 1, others: 1, newest: '2021-05-01T00:00:01.000000Z' },
      ],
    })
  })
})

describe('auditPage(prisma)', () => {
  it('reads on the audited client, from its own table, and records nothing', async () => {
    for (const { sql } of await logMigrations({ schema: 'other', name: 'log' })) await database.sql(sql)
    const prisma = withAudit(createClient(database.url), { table: 'other.log' })
    await prisma.user.create({ data: { email: 'ada@example.com' } })
    const mounted = auditPage(prisma)
    for (let visit = 0; visit < 2; visit++) {
      const response = await mounted(new Request('http://localhost/api/entries'))
      const { entries } = (await response.json()) as WirePage
      expect(entries.map(({ action }) => action)).toEqual(['user.create'])
    }
  })

  it('leaves the settings of the session as they were', async () => {
    const client = createClient(database.url, { max: 1 })
    const mounted = auditPage(client)
    expect((await mounted(new Request('http://localhost/api/overview'))).status).toBe(200)
    const settings = await client.$queryRaw`
      SELECT current_setting('transaction_read_only') AS read_only, current_setting('statement_timeout') AS timeout`
    expect(settings).toEqual([{ read_only: 'off', timeout: '0' }])
  })

  it.each([undefined, null, 42, {}])('refuses %j as a source', (source) => {
    expect(() => auditPage(source as never)).toThrow(
      expect.objectContaining({ code: 'AUDIT_INVALID_OPTIONS' }),
    )
  })

  it.each(['audit', 'https://example.com', '/a b', '/"><script>'])('refuses the base path %s', (basePath) => {
    expect(() => auditPage(database.url, { basePath })).toThrow(
      expect.objectContaining({ code: 'AUDIT_INVALID_OPTIONS' }),
    )
  })
})
