import { request as httpRequest } from 'node:http'
import express from 'express'
import { afterAll, describe, expect, it } from 'vitest'
import { startWebPage, type WebPageServerOptions } from '../../src/cli/ui.ts'
import { auditPage, toNodeHandler } from '../../src/ui/index.ts'
import { createDatabase } from '../support/database.ts'
import { insertSamples, minute } from './entries.ts'

const database = await createDatabase()
await insertSamples(database, [{ at: minute(0) }])

async function start(options: WebPageServerOptions = {}) {
  const server = await startWebPage(database.url, { port: '0', ...options })
  afterAll(() => server.close())
  return server
}

/** A request with any headers, also those that fetch does not let anyone set. */
function ask(url: string, headers: Record<string, string> = {}, path?: string) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>(
    (resolve, reject) => {
      const request = httpRequest(url, { headers, ...(path !== undefined && { path }) }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text) => {
          body += text
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        )
      })
      request.on('error', reject).end()
    },
  )
}

describe('on a loopback address', () => {
  it('says where it is and needs no token', async () => {
    const server = await start()
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
    expect(server.greeting).toContain(server.url)
    expect((await ask(server.url)).status).toBe(200)
  })

  it.each(['attacker.example', 'attacker.example:80', 'localhost.attacker.example', '127.0.0.1.nip.io'])(
    'refuses the host "%s", which DNS could have been made to point here',
    async (host) => {
      const server = await start()
      const answer = await ask(`${server.url}api/entries`, { host })
      expect([400, 421]).toContain(answer.status)
      expect(answer.body).not.toContain('order')
    },
  )

  it.each(['localhost', 'LOCALHOST:4477', '127.0.0.1:9', '[::1]:4477'])(
    'answers to the host %s',
    async (host) => {
      const server = await start()
      expect((await ask(server.url, { host })).status).toBe(200)
    },
  )

  it('wants the token that it was given', async () => {
    const server = await start({ token: 'correct-horse-battery' })
    expect((await ask(new URL('/', server.url).href)).status).toBe(401)
  })
})

describe('on another address', () => {
  it('makes a token of 192 bits and puts it into the address', async () => {
    const server = await start({ host: '0.0.0.0' })
    expect(server.url).toMatch(/\/\?token=[\w-]{32}$/)
    const other = await start({ host: '0.0.0.0' })
    expect(new URL(other.url).searchParams.get('token')).not.toBe(
      new URL(server.url).searchParams.get('token'),
    )
  })

  it('lets in by the address, then by a cookie that is not the token', async () => {
    const token = 'correct-horse-battery'
    const server = await start({ host: '0.0.0.0', token })
    const base = new URL('/', server.url).href
    const first = await ask(`${base}?actor=ada&token=${token}`)
    expect(first.status).toBe(303)
    expect(first.headers.location).toBe('/?actor=ada')
    const [cookie = ''] = first.headers['set-cookie'] as string[]
    expect(cookie).toMatch(/^prisma-extension-audit=[\w-]{43}; HttpOnly; SameSite=Lax; Path=\/$/)
    expect(cookie).not.toContain(token)
    const pair = cookie.split(';')[0] as string
    expect((await ask(`${base}api/entries`, { cookie: `a=b; ${pair}` })).status).toBe(200)
  })

  it('lets in by Authorization, for scripts', async () => {
    const server = await start({ host: '0.0.0.0', token: 'correct-horse-battery' })
    const url = new URL('/api/entries', server.url).href
    expect((await ask(url, { authorization: 'Bearer correct-horse-battery' })).status).toBe(200)
  })

  it.each([
    [{}, '/api/entries'],
    [{}, '/api/entries?token=wrong'],
    [{}, '/api/entries?token='],
    [{}, '/assets/page.js'],
    [{ authorization: 'Bearer wrong' }, '/api/entries'],
    [{ authorization: 'Bearer ' }, '/api/entries'],
    [{ cookie: 'prisma-extension-audit=correct-horse-battery' }, '/api/entries'],
    [{ cookie: 'prisma-extension-audit=' }, '/api/entries'],
  ])('refuses %j at %s', async (headers, path) => {
    const server = await start({ host: '0.0.0.0', token: 'correct-horse-battery' })
    const answer = await ask(new URL(path, server.url).href, headers)
    expect(answer.status).toBe(401)
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
  })

  it('sends nobody to another site', async () => {
    const server = await start({ host: '0.0.0.0', token: 'correct-horse-battery' })
    const answer = await ask(server.url, {}, '//attacker.example/?token=correct-horse-battery')
    expect(answer.headers.location).toBe('/attacker.example/')
  })
})

describe('mounted in Express', () => {
  it('knows its place, and what is no page of its own stays with the application', async () => {
    const app = express()
    app.use('/admin/audit', toNodeHandler(auditPage(database.url)))
    app.get('/other', (_, response) => void response.send('other'))
    const server = app.listen(0, '127.0.0.1')
    afterAll(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const document = await ask(`http://127.0.0.1:${port}/admin/audit`)
    expect(document.body).toContain('data-base="/admin/audit"')
    const entries = await ask(`http://127.0.0.1:${port}/admin/audit/api/entries?actor=ada`)
    expect(JSON.parse(entries.body).entries.length).toBe(1)
    expect((await ask(`http://127.0.0.1:${port}/other`)).body).toBe('other')
  })
})
