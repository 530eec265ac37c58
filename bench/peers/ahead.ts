import type { Comparison } from './compare.ts'
import { growthAt, sizesIn } from './growth.ts'
import { withTriggers } from './this-library.ts'
import { callersText } from './throughput.ts'

/** Why a contender is cheaper where it is. `ahead` says where that is, from what was measured. */
const reasons: Readonly<Record<string, string>> = {
  'row triggers with the same entry':
    'nothing tells them who acts while it is measured: their connection knows it from the start. Here each statement carries it, to the right entry for whichever user the pool lends the connection to next.',
  'row triggers':
    'they have less to write: no actor, request, organization or operation, no list of changed fields, and no index to find a person or an organization by.',
  'read, write, insert by hand':
    'of a nested create it records one row, here all of them are; its bulk writes cost many times as much.',
  '@explita/prisma-audit-log': 'of a nested create it records one row, here all of them are.',
  'prisma-audit, triggers':
    'a trigger writes the state after, as columns, into a table without an index but its key: no state before, no changed fields, nothing to search by.',
}

/** A measurement where less is better. */
interface Measured {
  readonly name: string
  readonly of: (contender: string) => number | undefined
}

/** The peers that cost less than this library, as a Markdown list: in what, and why. */
export function ahead(comparison: Comparison): string {
  const all = measured(comparison)
  const lines = comparison.contenders.flatMap(({ name, isPeer }) => {
    if (!isPeer) return []
    const cheaper = all.filter(({ of }) => (of(name) ?? Number.NaN) < (of(withTriggers.name) ?? Number.NaN))
    if (cheaper.length === 0) return []
    const others = all.filter((one) => one.of(name) !== undefined && !cheaper.includes(one))
    const list = (some: readonly Measured[]) => some.map((one) => one.name).join('; ')
    const everything = others.length === 0 ? 'everything' : `everything but ${list(others)}`
    const where = cheaper.length > others.length ? everything : list(cheaper)
    return [`- **${name}** in ${where}. Why: ${reasons[name] ?? 'why was not looked into.'}`]
  })
  return lines.join('\n')
}

function measured({ costs, throughput, growth }: Comparison): Measured[] {
  return [
    ...costs.map(({ name, network, of }) => ({
      name: `${name} (${network})`,
      of(contender: string) {
        const cost = of[contender]
        return cost && 'milliseconds' in cost ? cost.milliseconds : undefined
      },
    })),
    ...throughput.map(({ callers, perSecond }) => ({
      name: `updates a second (${callersText(callers)})`,
      of: (contender: string) => 1 / (perSecond[contender] ?? Number.NaN),
    })),
    ...sizesIn(growth).map((entries) => ({
      name: `an update with ${entries.toLocaleString('en')} entries in the log`,
      of: (contender: string) => growthAt(growth, entries, contender)?.milliseconds,
    })),
  ]
}
