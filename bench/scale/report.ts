import type { Latency, ScaleResult } from './measure-scale.ts'

/** How many times as long as in one table a question may take, and milliseconds that it may take at all. */
export const scaleTargets = { ratio: 1.3, milliseconds: 5 }

/** What was measured, as tables: a title, a head and rows each. */
export function scaleTables(result: ScaleResult): { title: string; head: string[]; rows: string[][] }[] {
  const { partitions, oneTable, entries, wanted } = result
  const count = entries.toLocaleString('en')
  const asked = entries < wanted ? `, as many of ${wanted.toLocaleString('en')} as the disk allows,` : ''
  return [
    {
      title: `A log of ${count} entries${asked} in ${result.months} months, with its indexes and triggers.`,
      head: ['', 'partitions', 'one table'],
      rows: [
        ['size, GB', ...both(result, ({ bytes }) => (bytes / 1e9).toFixed(2))],
        ['filled in, seconds', ...both(result, ({ fillSeconds }) => fillSeconds.toFixed(0))],
        ['create, recorded by triggers, empty log, ms', ...both(result, ({ writes }) => shown(writes.empty))],
        ['create, recorded by triggers, full log, ms', ...both(result, ({ writes }) => shown(writes.full))],
        ['sealed, entries a second', result.sealing.perSecond.toFixed(0), ''],
        ['archived and read back, entries a second', result.archiving.perSecond.toFixed(0), ''],
        ['archiving, the most memory, MB', (result.archiving.memory / 1e6).toFixed(0), ''],
      ],
    },
    {
      title: `Questions to it: median milliseconds, and the 95th percentile. Target: ≤ ${scaleTargets.milliseconds} ms, and ≤ ${scaleTargets.ratio} times one table.`,
      head: ['question', 'partitions', '95th', 'one table', '95th', 'ratio', 'met'],
      rows: [...partitions.questions].map(([name, latency]) => {
        const other = oneTable?.questions.get(name)
        const ratio = other && latency.median / other.median
        const isMet =
          latency.median <= scaleTargets.milliseconds && (ratio === undefined || ratio <= scaleTargets.ratio)
        return [
          ...[name, latency.median.toFixed(2), latency.highest.toFixed(2)],
          ...[other?.median.toFixed(2) ?? '', other?.highest.toFixed(2) ?? ''],
          ...[ratio?.toFixed(2) ?? '', isMet ? 'yes' : 'NO'],
        ]
      }),
    },
  ]
}

function both({ partitions, oneTable }: ScaleResult, show: (facts: ScaleResult['partitions']) => string) {
  return [show(partitions), oneTable ? show(oneTable) : '']
}

function shown({ median, highest }: Latency): string {
  return `${median.toFixed(2)} (95th: ${highest.toFixed(2)})`
}
