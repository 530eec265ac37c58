// Fills the marked sections of README.md from what they describe, so that they can't drift. A test checks them.
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { uncapturableReasons } from '../src/capture/parse/uncapturable.ts'
import { auditErrorCodes } from '../src/errors.ts'
import { secretNames } from '../src/options.ts'

const table = (head: string, rows: Record<string, string>) =>
  [head, '| --- | --- |', ...Object.entries(rows).map(([key, text]) => `| \`${key}\` | ${text} |`)].join('\n')

/** Of the example, the part that asks. */
function questions(example: string): string {
  return example.slice(example.indexOf("console.log('What happened"))
}

/** Section name → its text, for every section that comes from the sources. */
export function readmeSections(): Record<string, string> {
  const example = (file: string) =>
    readFileSync(`examples/${file}`, 'utf8').replace('./demo/generated/', './generated/')
  return {
    'quick-start': `\`\`\`ts\n${example('quick-start.ts')}\`\`\``,
    'ask-the-log': `\`\`\`ts\n${questions(example('ask-the-log.ts'))}\`\`\``,
    'secret-names': [...secretNames].map((name) => `\`${name}\``).join(', '),
    'uncapturable-reasons': table('| Reason | |', uncapturableReasons),
    'error-codes': table('| Code | State |', auditErrorCodes),
  }
}

/** The text between `<!-- name -->` and `<!-- /name -->`. */
export function readSection(readme: string, name: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`]
  const from = readme.indexOf(start)
  const to = readme.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`README.md has no section ${name}`)
  return readme.slice(from + start.length, to)
}

export function writeSection(readme: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [before, after] = [readme.indexOf(start) + start.length, readme.indexOf(end)]
  return `${readme.slice(0, before)}\n${text}\n${readme.slice(after)}`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const filled = Object.entries(readmeSections()).reduce(
    (readme, [name, text]) => writeSection(readme, name, text),
    readFileSync('README.md', 'utf8'),
  )
  writeFileSync('README.md', filled)
}
