import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, inject, it } from 'vitest'

const run = promisify(execFile)
const directory = import.meta.dirname
const env = { ...process.env, DATABASE_URL: inject('serverUrl'), NEXT_TELEMETRY_DISABLED: '1' }

/** A bundle runs where nothing else is: no node_modules, and none of the package's files. */
const output = await mkdtemp(join(tmpdir(), 'prisma-extension-audit-bundle-'))
afterAll(() => rm(output, { recursive: true, force: true }))

/** Runs a command of the application's node_modules. */
function command(name: string, ...args: string[]) {
  return run(join(directory, 'node_modules/.bin', name), args, { cwd: directory, env })
}

async function answerOf(bundle: string): Promise<unknown> {
  const main = join(output, 'main.mjs')
  await writeFile(
    main,
    `const bundle = await import(${JSON.stringify(bundle)})
    const { handler } = bundle.handler ? bundle : bundle.default
    console.log(JSON.stringify(await handler()))`,
  )
  const { stdout, stderr } = await run(process.execPath, [main], { cwd: output, env })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

const recorded = { entries: ['note.create by ada'], page: [200, 200, true] }

describe('without any settings for the audit', () => {
  it('esbuild bundles it as CommonJS', async () => {
    const bundle = join(output, 'esbuild.cjs')
    await command('esbuild', 'app/cjs.js', '--bundle', '--platform=node', `--outfile=${bundle}`)
    expect(await answerOf(bundle)).toEqual(recorded)
  })

  it('esbuild bundles it as ESM, minified', async () => {
    const bundle = join(output, 'esbuild.mjs')
    // pg, which is CommonJS, asks for Node's modules with require
    const banner =
      'import { createRequire } from "node:module";const require = createRequire(import.meta.url);'
    const options = ['--bundle', '--platform=node', '--format=esm', '--minify', `--banner:js=${banner}`]
    await command('esbuild', 'app/esm.js', ...options, `--outfile=${bundle}`)
    expect(await answerOf(bundle)).toEqual(recorded)
  })

  it('webpack bundles it', async () => {
    const { default: webpack } = await import('webpack')
    const stats = await new Promise<import('webpack').Stats | undefined>((resolve, reject) =>
      webpack(
        {
          ...{ context: directory, entry: './app/esm.js', target: 'node', mode: 'production' },
          output: { path: join(output, 'webpack'), filename: 'main.cjs', library: { type: 'commonjs2' } },
          ignoreWarnings: [/pg-native|pg-cloudflare|cloudflare:sockets/],
        },
        (error, result) => (error ? reject(error) : resolve(result)),
      ),
    )
    expect(stats?.toJson({ all: false, errors: true, warnings: true })).toMatchObject({ errors: [] })
    expect(await answerOf(join(output, 'webpack', 'main.cjs'))).toEqual(recorded)
  })

  it('Vite bundles it for server-side rendering', async () => {
    const { build } = await import('vite')
    await build({
      ...{ root: directory, logLevel: 'error', configFile: false },
      ssr: { noExternal: true },
      build: { ssr: 'app/esm.js', outDir: join(output, 'vite'), emptyOutDir: true },
    })
    expect(await answerOf(join(output, 'vite', 'esm.js'))).toEqual(recorded)
  })

  it('Next.js builds and serves it: route handlers, server actions and the page of the log', async () => {
    const next = join(directory, 'next')
    await rm(join(next, '.next'), { recursive: true, force: true })
    await command('next', 'build', 'next')
    const server = spawn(join(directory, 'node_modules/.bin/next'), ['start', 'next', '--port', '0'], {
      cwd: directory,
      env,
    })
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let printed = ''
        const listen = (text: Buffer) => {
          printed += text
          const [address] = /http:\/\/localhost:\d+/.exec(printed) ?? []
          if (address && /Ready/.test(printed)) resolve(address)
        }
        server.stdout.on('data', listen)
        server.stderr.on('data', listen)
        server.once('exit', () => reject(new Error(printed)))
      })
      expect((await fetch(`${url}/notes`, { method: 'POST' })).status).toBe(201)
      await submitForm(url)
      const entries = await fetch(`${url}/audit/api/entries?limit=2`)
      expect(await entries.json()).toMatchObject({
        entries: [
          { action: 'note.create', actor: { id: 'grace' } },
          { action: 'note.create', actor: { id: 'ada' } },
        ],
      })
      const document = await (await fetch(`${url}/audit`)).text()
      const [script = ''] = /\/audit\/assets\/page\.js[^"]*/.exec(document) ?? []
      expect((await fetch(url + script)).headers.get('content-type')).toMatch('javascript')
    } finally {
      server.kill()
    }
  })
})

/** As a browser without JavaScript does it. */
async function submitForm(url: string): Promise<void> {
  const document = await (await fetch(url)).text()
  const [, action = ''] = /name="(\$ACTION_ID_[^"]+)"/.exec(document) ?? []
  const body = new FormData()
  body.set(action, '')
  expect((await fetch(url, { method: 'POST', body, headers: { origin: url } })).status).toBe(200)
}
