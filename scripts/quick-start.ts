// Does what the README's quick start says, word for word, in an empty folder and with the package as it would be published,
// and compares what is printed in the end: npm run test:quickstart
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startEmbedded } from './postgres.ts'
import { readSection, withoutChance } from './readme.ts'

const readme = readFileSync('README.md', 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'quick-start-'))
const application = join(folder, 'atlas')
const { CI: _, ...environment } = process.env // Prisma asks people only, and CI is none
const engine = resolve('scripts/schema-engine') // where Prisma would download the same

const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
const [packed] = JSON.parse(execFileSync('npm', pack, { encoding: 'utf8' })) as [{ filename: string }]
const server = await startEmbedded('18')
const begin = performance.now()
try {
  const [newApplication, theLog] = commands()
  step('1. A new application', folder, newApplication)
  appendFileSync(join(application, '.env'), `\nDATABASE_URL="${server.url}"\n`)
  appendFileSync(join(application, 'prisma/schema.prisma'), `\n${code('quick-start-model')}`)
  const fromHere = theLog.replace('prisma-extension-audit\n', `${join(folder, packed.filename)}\n`)
  step('2. The audit log', application, fromHere)
  writeFileSync(join(application, 'quick-start.ts'), code('quick-start'))
  const printed = step('3. A change, and its entry', application, runLine())

  const entry = printed.slice(printed.indexOf('{\n'))
  if (withoutChance(entry.trim()) !== withoutChance(code('quick-start-output').trim())) {
    throw new Error(`The README shows another entry than this:\n${entry}`)
  }
  const seconds = (performance.now() - begin) / 1000
  process.stdout.write(`From nothing to the first entry: ${seconds.toFixed(0)} s\n`)
} finally {
  await server.stop()
  rmSync(folder, { recursive: true })
}

/** The commands of the first two steps. */
function commands(): [string, string] {
  const quickStart = readme.slice(readme.indexOf('## Quick start'))
  const [first = '', second = ''] = Array.from(quickStart.matchAll(/```sh\n(.*?)```/gs), ([, text]) => text)
  return [first, second]
}

function runLine(): string {
  const [, line = ''] = /^`(npx tsx [^`]+)` prints:$/m.exec(readme) ?? []
  return line
}

/** A section's code, out of its fence. */
function code(section: string): string {
  return readSection(readme, section)
    .replace(/^```\w+\n/, '')
    .replace(/```$/, '')
}

/** Runs commands, with a terminal where Prisma wants one, and gives what they print. */
function step(title: string, directory: string, text: string): string {
  const start = performance.now()
  const script = text.replace(
    /^npx prisma migrate dev[^#\n]*/gm,
    (line) => `script -qec '${line.trim()}' /dev/null `,
  )
  writeFileSync(join(folder, 'commands.sh'), script)
  const { status, stdout, stderr } = spawnSync('bash', ['-e', join(folder, 'commands.sh')], {
    cwd: directory,
    env: { ...environment, PRISMA_SCHEMA_ENGINE_BINARY: engine, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 100 * 1024 * 1024,
  })
  if (status !== 0) throw new Error(`${title} failed:\n${script}\n${`${stdout}${stderr}`.slice(-4000)}`)
  process.stdout.write(`${title}: ${((performance.now() - start) / 1000).toFixed(0)} s\n`)
  return stdout
}
