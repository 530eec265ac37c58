import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { anchorOf, generatedSections, readSection, withoutChance } from '../scripts/readme.ts'
import { applyMigrations, driftScript } from '../scripts/schema-engine.ts'
import { printTriggers } from '../src/cli/triggers.ts'
import { createDatabase } from './support/database.ts'

const example = 'examples/quick-start'
const documents = [
  ...['README.md', 'CONTRIBUTING.md'],
  ...readdirSync('docs')
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
]
const read = (path: string) => readFileSync(path, 'utf8')
const readme = read('README.md')
const database = await createDatabase({ template: 'template1' })

describe('README.md', () => {
  it('shows what the quick start prints, in a new application', async () => {
    await applyMigrations(database.url, 'prisma/migrations')
    const migration = await driftScript(database.url, read(`${example}/prisma/schema.prisma`))
    expect(migration).toMatch(/^-- CreateTable\nCREATE TABLE "Country" [^;]+;\s*$/)
    await database.sql(migration)
    const triggers = await printTriggers({ directory: example })
    expect(triggers).toBe(`SELECT "audit_logs_watch"('"public"."Country"', 'country');\n`)
    await database.sql(triggers)
    const stdout = await run('quick-start.ts')
    expect(withoutChance(readSection(readme, 'quick-start-output'))).toBe(
      withoutChance(`\`\`\`js\n${stdout}\`\`\``),
    )
  })
})

describe('docs/ask-the-log.md', () => {
  it('shows what the log answers, and SQL that asks the same', async () => {
    const stdout = await run('ask-the-log.ts')
    expect(withoutChance(readSection(read('docs/ask-the-log.md'), 'ask-the-log-output'))).toBe(
      withoutChance(`\`\`\`\n${stdout}\`\`\``),
    )
    const answers = stdout
      .split(/^(?=\S)/m)
      .map((answer) => answer.split('\n').filter((line) => /^ {2}\d/.test(line)))
    const queries = [...read(`${example}/ask-the-log.ts`).matchAll(/^\/\/ (SELECT .*)$/gm)]
    for (const [index, [, query = '']] of queries.entries()) {
      const rows = await database.sql<{ action: string; actor_id: string }>(query)
      // the last question changed the record once more
      const asked = index === 0 ? rows.slice(1) : rows
      expect(answers[index]?.map((line) => line.split(' · ').slice(1, 3))).toEqual(
        asked.map(({ actor_id, action }) => [actor_id, action]),
      )
    }
  })
})

describe('the documents', () => {
  const sections = Object.entries(generatedSections()).flatMap(([path, texts]) =>
    Object.entries(texts).map(([name, text]) => [name, path, text] as const),
  )

  it.each(sections)('say of %s, in %s, what it comes from', (name, path, text) => {
    expect(readSection(read(path), name)).toBe(text)
  })

  it.each(documents)('%s links to what is there', (path) => {
    const links = [...read(path).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
    const broken = links.filter(([, target = '', anchor]) => {
      const file = target === '' ? path : normalize(join(dirname(path), target))
      return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor))
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })

  it('are all linked from README.md', () => {
    const linked = new Set([...readme.matchAll(/\]\((docs\/[^)#\s]+\.md)/g)].map(([, path]) => path))
    expect(documents.filter((path) => path.startsWith('docs/') && !linked.has(path))).toEqual([])
  })

  it('name a script that exists wherever they say npm run', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = documents.flatMap((path) =>
      [...read(path).matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name),
    )
    expect(named.length).toBeGreaterThan(0)
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named))
  })

  it('name every option', () => {
    const [, options = ''] =
      /export interface AuditOptions[^{]*\{(.*?)^\}/ms.exec(read('src/options.ts')) ?? []
    const names = [...options.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name)
    const documented = [...read('docs/options.md').matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(0)
    expect(documented).toEqual(names)
  })

  it('name every column of the log, in order', async () => {
    const columns = await database.sql<{ name: string }>(
      `SELECT attname AS name FROM pg_attribute
       WHERE attrelid = 'audit_logs'::regclass AND attnum > 0 ORDER BY attnum`,
    )
    const [, table = ''] = /^\| Column .*?\n(.*?)\n\n/ms.exec(read('docs/entries.md')) ?? []
    const documented = table
      .split('\n')
      .flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name))
    expect(documented).toEqual(columns.map(({ name }) => name))
  })

  it('name files that exist wherever CONTRIBUTING.md names one', () => {
    const named = [...read('CONTRIBUTING.md').matchAll(/`((?:src|test|scripts|docs)\/[\w./-]+)`/g)]
    const paths = named.map(([, path = '']) => path)
    expect(paths.length).toBeGreaterThan(0)
    expect(paths.filter((path) => !existsSync(path))).toEqual([])
  })

  it('name every room of src', () => {
    const rooms = readdirSync('src', { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
    const documented = [...read('CONTRIBUTING.md').matchAll(/^\| `([\w-]+)\/`/gm)].map(([, name]) => name)
    expect(documented.sort()).toEqual(rooms.sort())
  })
})

function anchorsOf(path: string): string[] {
  return [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))
}

async function run(file: string): Promise<string> {
  const { stdout } = await promisify(execFile)('node', ['--import', 'tsx', `${example}/${file}`], {
    env: { ...process.env, DATABASE_URL: database.url, NO_COLOR: '1', TZ: 'UTC' },
  })
  return stdout
}
