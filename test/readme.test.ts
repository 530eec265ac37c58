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
    const { stdout } = await promisify(execFile)('node', ['--import', 'tsx', 'examples/quick-start.ts'], {
      env: { ...process.env, DATABASE_URL: database.url, NO_COLOR: '1' },
    })
    expect(withoutChance(readSection(readme, 'quick-start-output'))).toBe(
      withoutChance(`\`\`\`js\n${stdout}\`\`\``),
    )
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

/** Ids and times are others in every run. */
function withoutChance(output: string): string {
  return output
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/(seq|transactionId): \d+n/g, '$1: <number>')
}
