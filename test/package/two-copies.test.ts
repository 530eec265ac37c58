import { EventEmitter } from 'node:events'
import { cp, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { createClient, createDatabase } from '../support/database.ts'
import { errorOf } from '../support/errors.ts'

type Package = typeof import('../../src/index.ts')
type PackageUi = typeof import('../../src/ui/index.ts')
type PackageExpress = typeof import('../../src/http/express.ts')

const database = await createDatabase()
const copy = resolve('test/generated/copy-of-dist')
await rm(copy, { recursive: true, force: true })
await cp('dist', copy, { recursive: true })
afterAll(() => rm(copy, { recursive: true }))

/** As Node loads a package, past the test runner's own modules. */
async function load<Module>(directory: string, file: string): Promise<Module> {
  return import(/* @vite-ignore */ pathToFileURL(resolve(directory, file)).href)
}

/** As a test runner loads a module for each test file. */
async function loadAnew(): Promise<Package> {
  vi.resetModules()
  return import('../../src/index.ts')
}

const actor = { id: 'ada', type: 'user' } as const

describe.each([
  ['in two folders', () => load<Package>('dist', 'index.js'), () => load<Package>(copy, 'index.js')],
  ['under two addresses', () => load<Package>('dist', 'index.js'), () => load<Package>('dist', 'index.js?2')],
  ['of a module registry that was reset', loadAnew, loadAnew],
])('two copies of the package, %s', (_, loadFirst, loadSecond) => {
  it('share contexts: the client of one finds who acts in the other', async () => {
    const [first, second] = [await loadFirst(), await loadSecond()]
    expect(first.withAudit === second.withAudit).toBe(false)
    const prisma = first.withAudit(createClient(database.url))
    const entry = await database.changeOf(() =>
      second.withAuditContext({ actor, requestId: 'outer' }, () =>
        first.withAuditContext({ requestId: 'inner' }, async () => {
          expect(second.getAuditContext()).toEqual({ actor, requestId: 'inner' })
          await prisma.tag.create({ data: { name: `by ${crypto.randomUUID()}` } })
        }),
      ),
    )
    expect(entry).toMatchObject({ action: 'tag.create', actor_id: 'ada', request_id: 'inner' })
  })

  it('know each other’s clients and errors', async () => {
    const [first, second] = [await loadFirst(), await loadSecond()]
    const prisma = first.withAudit(createClient(database.url))
    const refusal = await errorOf(async () => second.withAudit(prisma))
    expect(refusal).toMatchObject({ code: 'AUDIT_ALREADY_WRAPPED' })
    expect([refusal instanceof first.AuditError, refusal instanceof second.AuditError]).toEqual([true, true])
    expect(new Error('another') instanceof second.AuditError).toBe(false)
  })

  it('may each audit a client on one adapter, and each change is recorded once', async () => {
    const [first, second] = [await loadFirst(), await loadSecond()]
    const base = createClient(database.url)
    const one = first.withAudit(base.$extends({ name: 'one' }))
    const other = second.withAudit(base.$extends({ name: 'other' }))
    const name = () => `one adapter ${crypto.randomUUID()}`
    const changes = await database.changesOf(async () => {
      await one.tag.create({ data: { name: name() } })
      await other.$transaction(async (tx) => {
        await tx.tag.create({ data: { name: name() } })
        await tx.$audit.record({ action: 'tag.count' })
      })
      await first.withAuditContext({ actor }, () =>
        one.$transaction([one.tag.create({ data: { name: name() } })]),
      )
    })
    expect(changes.map(({ action, actor_id }) => `${action} ${actor_id}`)).toEqual([
      'tag.create system',
      'tag.create system',
      'tag.count system',
      'tag.create ada',
    ])
  })
})

describe('the page and the middleware of another copy', () => {
  it('read the table that the client writes to, and open the context that it finds', async () => {
    const { withAudit } = await load<Package>('dist', 'index.js')
    const { auditPage } = await load<PackageUi>(copy, 'ui/index.js')
    const { auditContext } = await load<PackageExpress>(copy, 'http/express.js')
    await database.sql('CREATE TABLE other_log (LIKE audit_logs INCLUDING ALL)')
    const prisma = withAudit(createClient(database.url), { table: 'other_log' })

    const overview = await auditPage(prisma)(new Request('http://localhost/api/overview'))
    expect(await overview.json()).toMatchObject({ name: expect.stringContaining('other_log') })

    const request = Object.assign(new EventEmitter(), { headers: { 'x-request-id': 'request-7' } })
    const requestId = await new Promise((done) => {
      const response = Object.assign(new EventEmitter(), { setHeader: () => {} })
      auditContext()(request as never, response as never, () => {
        void load<Package>('dist', 'index.js').then((own) => done(own.getAuditContext()?.requestId))
      })
    })
    expect(requestId).toBe('request-7')
  })
})

describe('a copy whose version does not work together with one that is loaded', () => {
  const place = Symbol.for('prisma-extension-audit/1')
  const global = globalThis as { [key: symbol]: unknown }
  const own = global[place]
  afterEach(() => {
    global[place] = own
  })

  it('says so instead of losing contexts', async () => {
    global[place] = { form: 2 }
    const error = await errorOf(loadAnew)
    expect(error).toMatchObject({ name: 'AuditError', code: 'AUDIT_VERSIONS_DIFFER' })
    expect(String(error)).toContain('Install one version')
  })
})
