import type { MachineFacts } from '../machine.ts'
import { ahead } from './ahead.ts'
import type { Comparison } from './compare.ts'
import type { Cost } from './cost.ts'
import { networks } from './cost.ts'
import { growthAt, sizesIn } from './growth.ts'
import { limits } from './limits.ts'
import { callersText } from './throughput.ts'

/** A row of the table: what was measured, and what came of it for each contender. */
interface Line {
  readonly name: string
  readonly of: (contender: string) => string
}

/** The one table of the comparison, in Markdown: a row for each measurement, a column for each contender. */
export function comparisonTable(comparison: Comparison): string {
  const { contenders } = comparison
  const head = ['', ...contenders.map(({ name }) => name)]
  const rows = linesOf(comparison).map(({ name, of }) => [name, ...contenders.map((one) => of(one.name))])
  const cells = [head, head.map((_, column) => (column === 0 ? '---' : '---:')), ...rows]
  return cells.map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function linesOf({ costs, throughput, growth, correctness }: Comparison): Line[] {
  const lines: Line[] = []
  for (const network of networks) {
    const own = costs.filter((cost) => cost.network === network)
    if (own.length > 0) lines.push(title(`ms a call, ${network}`))
    lines.push(
      ...own.map((cost) => ({ name: cost.name, of: (contender: string) => costCell(cost, contender) })),
    )
  }
  if (throughput.length > 0) lines.push(title('updates a second'))
  for (const { callers, perSecond } of throughput) {
    const of = (contender: string) => (perSecond[contender] ?? Number.NaN).toFixed(0)
    lines.push({ name: callersText(callers), of })
  }
  if (growth.length > 0) lines.push(title('ms an update, by entries in the log'))
  for (const entries of sizesIn(growth)) {
    const of = (contender: string) => {
      const found = growthAt(growth, entries, contender)
      return found ? `${milliseconds(found.milliseconds)} (${found.ratio.toFixed(2)} ×)` : ''
    }
    lines.push({ name: entries.toLocaleString('en'), of })
  }
  if (correctness) {
    const { changing, others, of } = correctness
    lines.push(title('correctness'))
    lines.push({
      name: `recorded exactly, of ${changing}`,
      of: (name) => `${of[name]?.exact} (${Math.floor(((of[name]?.exact ?? 0) / changing) * 100)} %)`,
    })
    lines.push({ name: `wrong though nothing changed, of ${others}`, of: (name) => String(of[name]?.wrong) })
    lines.push({ name: 'never came back', of: (name) => String(of[name]?.stuck) })
  }
  return lines
}

function title(text: string): Line {
  return { name: `**${text}**`, of: () => '' }
}

function costCell({ of }: Cost, contender: string): string {
  const cost = of[contender]
  if (!cost) return ''
  return 'error' in cost ? 'fails' : `${milliseconds(cost.milliseconds)} (${cost.ratio.toFixed(2)} ×)`
}

function milliseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}

/** The page `docs/benchmark.md`. */
export function comparisonPage(comparison: Comparison, machine: MachineFacts): string {
  const { quick, rounds, seconds, costs, correctness, growth } = comparison
  const failures = costs.flatMap(({ name, network, of }) =>
    Object.entries(of).flatMap(([contender, cost]) =>
      'error' in cost
        ? [`- ${contender}, ${name} (${network}): ${cost.error.trim().split('\n').at(-1)}`]
        : [],
    ),
  )
  const facts = Object.entries(machine).map(([name, value]) => `| ${name} | ${value} |`)
  const spent = Object.entries(seconds).map(([part, value]) => `${part} ${value.toFixed(0)} s`)
  return `# Benchmark

What this library costs and records beside what one would otherwise use. \`npm run bench -- --only peers\` wrote this page${
    quick ? ', in its short form (`--quick`), which is noisy' : ''
  }.

![Cost of single writes and operations recorded exactly, by contender](images/benchmark.svg)

${comparisonTable(comparison)}

${rounds} interleaved rounds, fewer of bulk writes; medians of all calls. In brackets the median of the rounds' ratios to the
unaudited client; with named statements, to the unaudited client that has them too.${
    growth.length > 0 ? ` Logs are filled by SQL; empty cells were not measured.` : ''
  }
${failures.length > 0 ? `\nWhat fails:\n\n${failures.join('\n')}\n` : ''}
## Where a peer is cheaper, and why

Beside this library with triggers and ordinary statements:

${ahead(comparison) || 'Nowhere.'}

## What "exactly" means
${
  correctness
    ? `
Random operations of the oracle suite (\`test/oracle\`, seed ${correctness.seed}): every write, nested to depth 3, raw SQL, batches,
interactive and nested transactions, committed and rolled back, each from the same first rows. A plain row trigger is the
truth. An operation is recorded exactly when the caller gets the same result as without an audit, the tables have the same
changes, and the entries are those changes one to one: table, id, verb, state before (where the log has one) and after. How
a value is written does not matter (a decimal as number or text, bytes as base64 or list). Of an update the changed columns
are enough. Where a log has one entry a row and transaction by design, that is right; and a changed row of a join table may
be a link that goes and one that comes. A transaction is exact as a whole or not at all, and counts as its operations.
Operations that changed nothing (nothing found, refused, rolled back) are counted apart: they must leave nothing behind.
Of both kinds some never came back: the caller waits for ever.
`
    : '\nNot measured in this run.\n'
}
## The contenders

${Object.entries(limits)
  .map(([name, text]) => `- **${name}**: ${text}`)
  .join('\n')}

## The machine

| | |
| --- | --- |
${facts.join('\n')}

It took: ${spent.join(', ')}. Client, server and, for the network, a proxy that passes every byte on 1 ms later share the machine.
`
}
