import { type HttpResult, httpTarget } from './http.ts'
import { type LogResult, longestPage, pageSize, streamGrowthBound } from './log.ts'
import type { MachineFacts } from './machine.ts'
import { growthBound, type MemoryResult } from './memory.ts'
import { type QueueResult, queueTarget } from './queue.ts'
import type { CaseResult } from './run-case.ts'
import type { ScaleResult } from './scale/measure-scale.ts'
import { scaleTables } from './scale/report.ts'
import { type SealResult, sealTargets } from './seal.ts'
import { type ShipResult, shipTargets } from './ship.ts'
import type { StartResult } from './start.ts'
import type { StatementCount } from './statements.ts'

export interface Results {
  readonly machine: MachineFacts
  readonly rounds: number
  readonly cases: readonly CaseResult[]
  readonly start: readonly StartResult[]
  readonly statements: readonly StatementCount[]
  readonly memory: MemoryResult | undefined
  readonly queue: QueueResult | undefined
  readonly log: LogResult | undefined
  readonly ship: ShipResult | undefined
  readonly scale: ScaleResult | undefined
  readonly seal: SealResult | undefined
  readonly http: readonly HttpResult[]
}

/** Everything that was measured, for people to read. */
export function describe(results: Results): string {
  const { machine, rounds, cases, start, statements, memory, queue, log, ship, scale, seal, http } = results
  const sections = [
    Object.entries(machine).map(([name, value]) => `${`${name}:`.padEnd(10)} ${value}`),
    cases.length > 0 && [
      `Median milliseconds a call on loopback: plain, with an extension that does nothing, in SQL typed by hand, recorded by the statement, and by triggers. The ratio is the median of the rounds' own ratios, in brackets the middle half of them; ${rounds} interleaved rounds, fewer of createMany with 10,000 rows.`,
      '',
      ...table(['case', ...columns, 'ratio', '', 'target', 'met'], cases.flatMap(caseRows)),
    ],
    start.length > 0 && [
      `A process that starts, on loopback, and writes once: medians of whole processes. What the audit adds is the median over ${rounds} pairs of processes, in brackets the middle half of them.`,
      '',
      ...table(
        ['recorded by', 'until', 'plain', 'audited', 'added', '', 'target', 'met'],
        start.map(startRow),
      ),
    ],
    statements.length > 0 && [
      'Statements sent by one call, BEGIN and COMMIT included. Target: as many as without the audit.',
      '',
      ...table(
        ['call', 'plain', 'statement', 'triggers', 'met'],
        statements.map(({ name, plain, statement, triggers, isMet }) => [
          name,
          ...[plain, statement, triggers].map(String),
          met(isMet),
        ]),
      ),
    ],
    memory !== undefined && [
      `Memory after garbage collection, in MB, over writes of ever different texts. Target: the audited client grows by at most ${megabytes(growthBound)} MB more than the plain one.`,
      '',
      ...table(
        [
          'client',
          ...(memory.growths[0]?.uses ?? []).map((use) => `after ${use.statements}`),
          'growth',
          'met',
        ],
        memory.growths.map(({ client, uses, growth }) => [
          client,
          ...uses.map(({ heap, external }) => megabytes(heap + external)),
          megabytes(growth),
          client === 'audited' ? met(memory.isMet) : '',
        ]),
      ),
    ],
    queue !== undefined && [
      'Queued events, from record(event, { queue: true }) until they are in the table.',
      '',
      ...table(
        ['events', 'rounds', 'a second', 'target', 'met'],
        [
          [
            String(queue.events),
            String(queue.rounds),
            queue.perSecond.toFixed(0),
            `≥ ${queueTarget}`,
            met(queue.isMet),
          ],
        ],
      ),
    ],
    log !== undefined && [
      `Reading the log: median milliseconds of a page of ${pageSize} entries, by the number of entries in the log. Target: at most ${longestPage} ms at every size.`,
      '',
      ...table(
        ['page', ...log.sizes.map((size) => size.toLocaleString('en')), 'target', 'met'],
        log.pages.map(({ name, milliseconds, isMet }) => [
          name,
          ...log.sizes.map((size) => milliseconds[size]?.toFixed(2) ?? ''),
          `≤ ${longestPage.toFixed(2)}`,
          met(isMet),
        ]),
      ),
    ],
    log !== undefined && [
      `Streaming the whole log: resident memory in MB. Target: at most ${megabytes(streamGrowthBound)} MB above the start.`,
      '',
      ...table(
        ['entries', 'seconds', 'at the start', 'highest', 'growth', 'met'],
        [log.stream].map(({ entries, seconds, before, highest, isMet }) => [
          entries.toLocaleString('en'),
          seconds.toFixed(1),
          megabytes(before),
          megabytes(highest),
          megabytes(highest - before),
          met(isMet),
        ]),
      ),
    ],
    ...(ship ? shipSections(ship) : []),
    ...(scale ? scaleTables(scale).map(({ title, head, rows }) => [title, '', ...table(head, rows)]) : []),
    ...(seal ? [sealSection(seal)] : []),
    http.length > 0 && [
      `What the middleware adds to a request that writes nothing: median microseconds on loopback, one request at a time. The difference is the median over ${rounds} pairs of server processes, each measured in interleaved rounds; in brackets the middle half of them.`,
      '',
      ...table(
        ['framework', 'plain', 'audited', 'added', '', 'target', 'met'],
        http.map(({ framework, plain, audited, added, quartiles, isMet }) => [
          framework,
          plain.toFixed(1),
          audited.toFixed(1),
          added.toFixed(1),
          `(${quartiles.map((value) => value.toFixed(1)).join(' to ')})`,
          `≤ ${httpTarget}`,
          met(isMet),
        ]),
      ),
    ],
  ]
  return sections
    .filter((section) => section !== false)
    .map((section) => section.join('\n'))
    .join('\n\n')
}

const columns = ['plain', 'extended', 'by hand', 'statement', 'triggers'] as const

/** One line for each target; the times stand in the first. */
function caseRows({ name, milliseconds, ratios }: CaseResult): string[][] {
  const times = columns.map((variant) => {
    const value = milliseconds[variant]
    return value === undefined ? '' : value.toFixed(value < 10 ? 3 : 1)
  })
  return ratios.map(({ of, to, median, quartiles, atMost, isMet }, index) => [
    ...(index === 0 ? [name, ...times] : ['', ...times.map(() => '')]),
    `${of} ${median.toFixed(2)} × ${to}`,
    `(${quartiles.map((value) => value.toFixed(2)).join('–')})`,
    `≤ ${atMost.toFixed(2)}`,
    met(isMet),
  ])
}

function shipSections({ catchUps, writers, lag, sink }: ShipResult): string[][] {
  const rise = writers.beside / writers.alone
  const fixed = (value: number) => value.toFixed(1)
  return [
    [
      'Catching up with a backlog of entries: how many a second, and microseconds of the processor for each. The store is moto, in Python, on the same machine.',
      '',
      ...table(
        ['sink', 'backlog', 'a second', 'shipper', 'database', 'store', 'highest memory, MB'],
        catchUps.map(({ sink: to, backlog, perSecond, cpu, memory }) => [
          ...[to, backlog.toLocaleString('en'), perSecond.toFixed(0)],
          ...[cpu.shipper, cpu.database, cpu.store].map(fixed),
          megabytes(memory),
        ]),
      ),
    ],
    [
      'verify-archive afterwards: how many entries it compares with the log a second.',
      '',
      ...table(
        ['sink', 'entries', 'a second', 'highest memory, MB'],
        catchUps.flatMap(({ sink: of, backlog, verified }) =>
          verified
            ? [[of, backlog.toLocaleString('en'), verified.perSecond.toFixed(0), megabytes(verified.memory)]]
            : [],
        ),
      ),
    ],
    [
      `Eight writers of 500 entries a second, alone and beside a shipper to ${sink} that catches up.`,
      '',
      ...table(
        ['', 'measured', 'target', 'met'],
        [
          ['median of a write alone, ms', writers.alone.toFixed(2), '', ''],
          ['median of a write beside it, ms', writers.beside.toFixed(2), '', ''],
          ['as a multiple', rise.toFixed(2), `≤ ${shipTargets.rise}`, met(rise <= shipTargets.rise)],
          [
            'entries a second meanwhile',
            writers.perSecond.toFixed(0),
            `≥ ${shipTargets.perSecond}`,
            met(writers.perSecond >= shipTargets.perSecond),
          ],
          [
            'longest wait of an entry, seconds',
            lag.toFixed(2),
            `≤ ${shipTargets.lag}`,
            met(lag <= shipTargets.lag),
          ],
        ],
      ),
    ],
  ]
}

function sealSection({ entries, seal, verify, proof, writers }: SealResult): string[] {
  const fixed = (value: number) => value.toFixed(1)
  const pass = (name: string, { perSecond, cpu, memory }: SealResult['seal'], atLeast: number) => [
    ...[name, perSecond.toFixed(0), `≥ ${atLeast}`, met(perSecond >= atLeast)],
    `${fixed(cpu.process)} µs in Node, ${fixed(cpu.database)} µs in PostgreSQL an entry; ${megabytes(memory)} MB`,
  ]
  return [
    `Seals of a log of ${entries.toLocaleString('en')} entries. Beside a create: another process that seals every second.`,
    '',
    ...table(
      ['', 'measured', 'target', 'met', ''],
      [
        pass('sealed entries a second', seal, sealTargets.seal),
        pass('verified entries a second', verify, sealTargets.verify),
        [
          ...['a proof, ms', proof.median.toFixed(2), `≤ ${sealTargets.proof}`],
          ...[met(proof.median <= sealTargets.proof), `95 of 100 within ${proof.percentile95.toFixed(2)} ms`],
        ],
        [
          ...['a create beside sealing, as a multiple', writers.median.toFixed(3), `≤ ${sealTargets.rise}`],
          met(writers.median <= sealTargets.rise),
          `(${writers.quartiles.map((value) => value.toFixed(3)).join('–')})`,
        ],
      ],
    ),
  ]
}

function startRow({ way, quantity, plain, audited, added, target, isMet }: StartResult): string[] {
  const [name, unit, one] = {
    loading: ['everything is imported, ms', 'ms', 1],
    firstWrite: ['from there to the first write, ms', 'ms', 1],
    memory: ['resident memory then, MB', 'MB', 1024 * 1024],
  }[quantity] as [string, string, number]
  const shown = (value: number) => (value / one).toFixed(0)
  return [
    way,
    name,
    shown(plain),
    shown(audited),
    shown(added.median),
    `(${added.quartiles.map(shown).join(' to ')})`,
    target === undefined ? '' : `≤ ${target} ${unit}`,
    target === undefined ? '' : met(isMet),
  ]
}

function table(head: string[], rows: string[][]): string[] {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const isNumber = (column: number) => rows.every((row) => /^[\d.,-]*$/.test(row[column] ?? '')) && column > 0
  return all.map((row) =>
    row
      .map((cell, column) =>
        isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}

function met(isMet: boolean): string {
  return isMet ? 'yes' : 'NO'
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1)
}
