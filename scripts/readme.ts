// Fills the marked sections of README.md and docs/ from what they describe, so that they can't drift. A test checks them:
// node --import tsx scripts/readme.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { uncapturableReasons } from '../src/capture/parse/uncapturable.ts'
import { documentedCommands, helpOf, usage } from '../src/cli/help.ts'
import { auditErrorCodes } from '../src/errors.ts'
import { secretNames } from '../src/secret-names.ts'

const example = 'examples/quick-start'

/** Document → section name → its text, for every section that comes from something else in the repository. */
export function generatedSections(): Record<string, Record<string, string>> {
  const readme = readFileSync('README.md', 'utf8')
  return {
    'README.md': {
      contents: contents(readme),
      'quick-start-model': fenced('prisma', countryModel()),
      'quick-start': fenced('ts', readFileSync(`${example}/quick-start.ts`, 'utf8')),
      cost: costs(readFileSync('docs/cost.md', 'utf8')),
      start: startCosts(readFileSync('docs/cost.md', 'utf8')),
    },
    'docs/ask-the-log.md': { 'ask-the-log': fenced('ts', questions()) },
    'docs/how-it-works.md': {
      'audited-statement': fenced('sql', auditedStatement('test/capture/statements/18/update.sql')),
    },
    'docs/options.md': { 'secret-names': [...secretNames].map((name) => `\`${name}\``).join(', ') },
    'docs/limits.md': { 'uncapturable-reasons': definitions('| Reason | |', uncapturableReasons) },
    'docs/errors.md': { 'error-codes': definitions('| Code | State |', auditErrorCodes) },
    'docs/command-line.md': {
      'command-line': fenced('', usage),
      commands: documentedCommands.map((name) => fenced('', helpOf(name) ?? '')).join('\n\n'),
    },
  }
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\`\`\``
}

function definitions(head: string, rows: Record<string, string>): string {
  return [
    head,
    '| --- | --- |',
    ...Object.entries(rows).map(([key, text]) => `| \`${key}\` | ${text} |`),
  ].join('\n')
}

function contents(document: string): string {
  const headings = [...document.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading)
  return headings.map((heading) => `[${heading}](#${anchorOf(heading)})`).join(' · ')
}

/** The anchor that GitHub gives a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}

function countryModel(): string {
  const [model = ''] =
    /^model Country \{.*?^\}\n/ms.exec(readFileSync(`${example}/prisma/schema.prisma`, 'utf8')) ?? []
  return model
}

/** What is sent in place of Prisma's statement, from a file that a test of the rewriter keeps true. */
function auditedStatement(file: string): string {
  const heading = '-- The change and its entries:\n'
  const text = readFileSync(file, 'utf8')
  return text.slice(text.indexOf(heading) + heading.length)
}

/** Of the example, the part that asks. */
function questions(): string {
  const text = readFileSync(`${example}/ask-the-log.ts`, 'utf8')
  return text.slice(text.indexOf("console.log('What happened"))
}

/** Those calls of the benchmark's listing that a reader asks for first. */
const calls = [
  ...['create', 'update', 'delete', 'upsert', 'nested create, 1 + 3 rows', 'transaction of ten writes'],
  ...['delete with cascade, 1 + 3 rows', 'delete without children, 62 tables'],
  ...['createMany, 1,000 rows', 'updateMany, 1,000 rows', 'deleteMany, 1,000 rows'],
  ...['create, 1 ms network each way', 'update, 1 ms network each way'],
]

/** A table of these calls: milliseconds of the plain client, and of the audited one in both ways, as multiples of that, too. */
function costs(document: string): string {
  const lines = readSection(document, 'benchmark').split('\n')
  const rows = calls.map((call) => {
    const own = lines.find((line) => line.startsWith(`${call}  `))?.split(/ {2,}/) ?? []
    const times = own.filter((cell) => /^\d+\.\d+$/.test(cell))
    const [plain, statement, triggers] = [times[0], times.at(-2), times.at(-1)]
    const multiple = (time?: string) => `${(Number(time) / Number(plain)).toFixed(2)} ×`
    const cells = [call, plain, statement, multiple(statement), triggers, multiple(triggers)]
    return `| ${cells.join(' | ')} |`
  })
  return [
    '| Call | plain | by the statement | | by triggers | |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
  ].join('\n')
}

/** A table of what is added to a process that starts, in both ways. */
function startCosts(document: string): string {
  const rows = readSection(document, 'benchmark-start')
    .split('\n')
    .map((line) => line.split(/ {2,}/))
  const added = (recordedBy: string) =>
    rows.filter(([first]) => first === recordedBy).map(([, until = '', , , more = '']) => ({ until, more }))
  const byTriggers = added('triggers')
  return [
    '| Until | by the statement | by triggers |',
    '| --- | ---: | ---: |',
    ...added('the statement').map(
      ({ until, more }, index) => `| ${until} | ${more} | ${byTriggers[index]?.more} |`,
    ),
  ].join('\n')
}

/** The text between `<!-- name -->` and `<!-- /name -->`. */
export function readSection(document: string, name: string): string {
  const [from, to] = bounds(document, name)
  return document.slice(from, to).trim()
}

export function writeSection(document: string, name: string, text: string): string {
  const [from, to] = bounds(document, name)
  return `${document.slice(0, from)}\n${text}\n${document.slice(to)}`
}

function bounds(document: string, name: string): [number, number] {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const from = document.indexOf(start)
  const to = document.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`The document has no section ${name}`)
  return [from + start.length, to]
}

/** Ids and times are others in every run. */
export function withoutChance(output: string): string {
  return output
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<time>')
    .replace(/(seq|transactionId): \d+n/g, '$1: <number>')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [path, sections] of Object.entries(generatedSections())) {
    const filled = Object.entries(sections).reduce(
      (document, [name, text]) => writeSection(document, name, text),
      readFileSync(path, 'utf8'),
    )
    writeFileSync(path, filled)
  }
}
