import { execFileSync } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startServer } from '../../scripts/postgres.ts'
import { prismaGenerate } from '../../scripts/prisma-generate.mjs'
import { applyMigrations, createScript } from '../../scripts/schema-engine.ts'

const directory = import.meta.dirname

/** A server with the log and the table of notes, the client of the applications, and the package as it is published. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer()
  await applyMigrations(server.url, 'prisma/migrations')
  const client = new pg.Client(server.url)
  await client.connect()
  await client.query(
    await createScript(server.url, await readFile(join(directory, 'prisma/schema.prisma'), 'utf8')),
  )
  await client.end()
  await generateClients()
  await installPackage()
  project.provide('serverUrl', server.url)
  return () => server.stop()
}

/** As JavaScript, which webpack understands without settings. */
async function generateClients(): Promise<void> {
  prismaGenerate(join(directory, 'prisma/schema.prisma'))
  for (const [format, ending] of [
    ['esm', 'js'],
    ['cjs', 'cjs'],
  ] as const) {
    await build({
      entryPoints: [join(directory, `generated/${format}/client.ts`)],
      outfile: join(directory, `generated/${format}.${ending}`),
      ...{ bundle: true, packages: 'external', platform: 'node', format, logLevel: 'warning' },
    })
  }
}

/** From the tarball: a link would lead bundlers out of the application. */
async function installPackage(): Promise<void> {
  const target = join(directory, 'node_modules/prisma-extension-audit')
  await rm(target, { recursive: true, force: true })
  await mkdir(target)
  const tarball = execFileSync(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', target],
    {
      encoding: 'utf8',
    },
  ).trim()
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1'], { cwd: target })
}
