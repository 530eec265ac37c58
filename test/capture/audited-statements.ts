import { loadParser } from '../../src/capture/parse/syntax.ts'
import type { Plan } from '../../src/capture/plan.ts'
import { Planner } from '../../src/capture/planner.ts'
import type { EntryParameters } from '../../src/capture/rewrite/entry-parameters.ts'
import { resolveOptions } from '../../src/options.ts'
import { type Catalog, NotRead } from '../../src/postgres/catalog.ts'
import { GrowingCatalog } from '../../src/postgres/read-catalog.ts'
import { serverOf } from '../../src/postgres/server.ts'
import { adapterOf, type ClientInternals } from '../../src/prisma-7/internals.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import type { Database } from '../support/database.ts'
import { formatSql } from '../support/format-sql.ts'
import { createLoggedPlain, type Sent } from './statement-log.ts'

type Call = (prisma: PrismaClient) => PromiseLike<unknown>

/** A statement of Prisma's, and what the audit makes of it. */
export interface Planned {
  readonly statement: Sent
  readonly plan: Exclude<Plan, { kind: 'pass' }>
}

/** Finds out what the audit makes of a call on servers of several versions, whichever one runs. */
export async function createPlanning({ url }: Database, versions: readonly number[]) {
  const { prisma, log } = createLoggedPlain({ connectionString: url })
  const { factory, dataModel } = adapterOf(prisma as unknown as ClientInternals)
  await loadParser()
  const connection = await factory.connect()
  const catalog = await GrowingCatalog.open(connection)
  const configuration = { options: resolveOptions({}, dataModel), dataModel }
  const planners = versions.map((version) => ({
    version,
    planner: new Planner(
      // what is read later is in all of them
      Object.assign(Object.create(catalog) as Catalog, { server: serverOf(version * 10_000) }),
      configuration,
      'public',
    ),
  }))
  const shape = { operation: true, metadata: false, revertOf: false }
  const planned = async (planner: Planner, statement: Sent): Promise<Planned[]> => {
    const { sql, args, want = 'count' } = statement
    try {
      const plan = planner.plan(sql, args.length, want, shape)
      return plan.kind === 'pass' ? [] : [{ statement, plan }]
    } catch (error) {
      if (!(error instanceof NotRead)) throw error
      await catalog.readPart(error.part, connection)
      return planned(planner, statement)
    }
  }

  return async (call: Call): Promise<{ version: number; planned: Planned[] }[]> => {
    const sent = await log.during(() => rolledBack(prisma, call))
    const all: { version: number; planned: Planned[] }[] = []
    for (const { version, planner } of planners) {
      const each: Planned[] = []
      for (const statement of sent) each.push(...(await planned(planner, statement)))
      all.push({ version, planned: each })
    }
    return all
  }
}

async function rolledBack(prisma: PrismaClient, call: Call): Promise<void> {
  const enough = new Error('enough')
  await prisma
    .$transaction(async (tx) => {
      await call(tx as PrismaClient)
      throw enough
    })
    .catch((error) => {
      if (error !== enough) throw error
    })
}

interface Part {
  readonly what: string
  readonly sql: string
  /** What the audit's own parameters stand for. */
  readonly own?: readonly string[]
}

/** The statements that the audit sends in place of one, in order. */
function partsOf({ statement, plan }: Planned, operation = ''): Part[] {
  const valuesOf = (parameters: EntryParameters, first: number) => valuesFrom(first, parameters, operation)
  if (plan.kind === 'carried') {
    const own = valuesOf(plan.parameters, statement.args.length + 1)
    return [{ what: 'The statement with the context, which triggers record', sql: plan.sql, own }]
  }
  if (plan.kind === 'uncapturable') {
    if (!plan.entry) return []
    return [
      {
        what: 'The entry, with the text of the statement, without its values, as $1',
        sql: plan.entry.sql,
        own: valuesOf(plan.entry.parameters, 2),
      },
      { what: 'The statement as it is, in the same transaction', sql: statement.sql },
    ]
  }
  const { lock, readLater, countsMissed } = plan
  const again = lock?.isDeep ? ', again until their number stays the same' : ''
  return [
    ...(lock ? [{ what: 'Lock the rows that are about to change', sql: lock.rows.sql }] : []),
    ...(lock?.reached
      ? [{ what: `Lock the rows that referential actions reach${again}`, sql: lock.reached.sql }]
      : []),
    {
      what: countsMissed
        ? 'The change and its entries (where the last column counts a row, it is undone, and all of this repeated)'
        : 'The change and its entries',
      sql: plan.sql,
      own: valuesOf(plan.parameters, statement.args.length + 1),
    },
    ...(readLater
      ? [
          {
            what: 'Read rows again that a trigger may have changed further',
            sql: readLater.sql,
            own: valuesOf(readLater.parameters, 1),
          },
        ]
      : []),
  ]
}

/** `$3 = user`, for every parameter of the audit's own from `first` on. */
function valuesFrom(first: number, parameters: EntryParameters, operation: string): string[] {
  const context = { actor: { id: 'ada', type: 'user' }, requestId: 'r1', ip: '192.0.2.1' } as const
  const { args } = parameters.bind({ context, operation, revertOf: undefined })
  return args.map((value, index) => `$${first + index} = ${withoutChance(String(value))}`)
}

/** Ids are others in every run: the first 28 characters of a UUIDv7, and the number that goes on from there. */
function withoutChance(value: string): string {
  if (/^[0-9a-f]{8}-[0-9a-f-]{19}$/.test(value)) return '<28 characters of a UUIDv7>'
  return /^\d+$/.test(value) ? '<a number>' : value
}

export function sentFor(planned: readonly Planned[]): string[] {
  return planned.flatMap((one) => partsOf(one).map(({ sql }) => sql))
}

/** A file to read: the call, Prisma's statements, and what the audit sends in their place. */
export function describePlanned(call: Call, planned: readonly Planned[]): string {
  const source = sourceOf(call)
  const [, operation] = /^prisma\.(?:\w+\.)?([\w$]+)/.exec(source) ?? []
  const statements = planned.map((one) => {
    const parts = partsOf(one, operation)
    const numbered = parts.map(({ what, sql, own = [] }, index) => {
      const number = parts.length > 1 ? `${index + 1}. ` : ''
      const values = own.length > 0 ? `${comment(own.join(', '))}\n` : ''
      return `-- ${number}${what}:\n${values}${formatSql(sql)};`
    })
    return [`-- Prisma's statement:\n${comment(formatSql(one.statement.sql))}`, ...numbered].join('\n\n')
  })
  return `${[comment(source), ...statements].join('\n\n')}\n`
}

function comment(text: string): string {
  return text.replace(/^/gm, '-- ')
}

/** `(prisma) => prisma.tag.findMany()` → `prisma.tag.findMany()` */
function sourceOf(call: Call): string {
  const source = String(call).replace(/^\(\w+\) => /, '')
  return source.includes('`') ? source : source.replaceAll('"', "'").replace(/\s+/g, ' ')
}
