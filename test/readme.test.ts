import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { readmeSections, readSection } from '../scripts/readme.ts'
import { applyMigrations } from '../scripts/schema-engine.ts'
import { createDatabase } from './support/database.ts'

const readme = readFileSync('README.md', 'utf8')
const database = await createDatabase({ template: 'template1' })

describe('README.md', () => {
  it.each(Object.entries(readmeSections()))('says of %s what the sources say', (name, text) => {
    expect(readSection(readme, name)).toBe(text)
  })

  it('shows what the quick start prints', async () => {
    await applyMigrations(database.url, 'examples/demo/prisma/migrations')
    await database.sql(
      `INSERT INTO countries (code, name, official, demonym, capitals, region)
       VALUES ('TR', 'Turkey', 'Republic of Türkiye', 'Turkish', '{Ankara}', 'Asia')`,
    )
    const stdout = await run('examples/quick-start.ts')
    expect(withoutChance(readSection(readme, 'quick-start-output'))).toBe(
      withoutChance(`\`\`\`js\n${stdout}\`\`\``),
    )
  })

  it('shows what the log answers, and SQL that asks the same', async () => {
    const stdout = await run('examples/ask-the-log.ts')
    expect(withoutChance(readSection(readme, 'ask-the-log-output'))).toBe(
      withoutChance(`\`\`\`\n${stdout}\`\`\``),
    )
    const answers = stdout
      .split(/^(?=\S)/m)
      .map((answer) => answer.split('\n').filter((line) => /^ {2}\d/.test(line)))
    const queries = [...readFileSync('examples/ask-the-log.ts', 'utf8').matchAll(/^\/\/ (SELECT .*)$/gm)]
    for (const [index, [, query = '']] of queries.entries()) {
      const rows = await database.sql<{ action: string; actor_id: string }>(query)
      // the last question changed the record once more
      const asked = index === 0 ? rows.slice(1) : rows
      expect(answers[index]?.map((line) => line.split(' · ').slice(1, 3))).toEqual(
        asked.map(({ actor_id, action }) => [actor_id, action]),
      )
    }
  })

  it('names a script that exists wherever it says npm run', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>
    }
    const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name)
    expect(named.length).toBeGreaterThan(0)
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named))
  })
})

async function run(example: string): Promise<string> {
  const { stdout } = await promisify(execFile)('node', ['--import', 'tsx', example], {
    env: { ...process.env, DATABASE_URL: database.url, NO_COLOR: '1', TZ: 'UTC' },
  })
  return stdout
}

/** Ids and times are others in every run. */
function withoutChance(output: string): string {
  return output
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<time>')
    .replace(/(seq|transactionId): \d+n/g, '$1: <number>')
}
