import { cascadeByHand, deleteManyByHand, updateManyByHand } from './by-hand.ts'
import type { ClientName } from './clients.ts'
import type { Workload } from './workloads.ts'
import * as workloads from './workloads.ts'

/** A way to do what a case measures: with one of the clients, or in SQL typed by hand. */
export type VariantName = ClientName | 'by hand'

/** A limit for the time of one variant, as a multiple of another's in the same rounds. */
export interface Goal {
  readonly of: VariantName
  readonly to: VariantName
  readonly atMost: number
}

/** How the clients of a case reach the database. */
export type Setting = 'ordinary' | 'named statements' | '1 ms network'

/** How often a call is made. A round has two blocks of `calls` calls of each variant. */
export interface Repetition {
  readonly calls: number
  readonly warmUp: number
  /** The part of the rounds that a slow case takes. */
  readonly ofRounds: number
}

export interface Case {
  readonly name: string
  readonly setting: Setting
  readonly repetition: Repetition
  /** With --quick; undefined for a case that can't be quick. */
  readonly quick: Repetition | undefined
  readonly workload: Workload
  /** The same work in SQL typed by hand, run by the plain client. */
  readonly byHand?: Workload
  /** Also by a client with an extension that does nothing. */
  readonly extended?: boolean
  readonly goals: readonly Goal[]
}

const single = {
  create: workloads.create,
  update: workloads.update,
  delete: workloads.remove,
  upsert: workloads.upsert,
}

const often: Pick<Case, 'repetition' | 'quick'> = {
  repetition: { calls: 50, warmUp: 400, ofRounds: 1 },
  quick: { calls: 25, warmUp: 100, ofRounds: 1 },
}
const overNetwork: typeof often = {
  repetition: { calls: 15, warmUp: 150, ofRounds: 1 },
  quick: { calls: 5, warmUp: 25, ofRounds: 1 },
}
const inTransaction: typeof often = {
  repetition: { calls: 15, warmUp: 100, ofRounds: 1 },
  quick: { calls: 5, warmUp: 25, ofRounds: 1 },
}
const inBulk: typeof often = {
  repetition: { calls: 3, warmUp: 12, ofRounds: 1 },
  quick: { calls: 1, warmUp: 2, ofRounds: 1 },
}
const seldom: typeof often = { repetition: { calls: 1, warmUp: 2, ofRounds: 0.3 }, quick: undefined }

function atMost(limit: number, of: VariantName, to: VariantName = 'plain'): Goal {
  return { of, to, atMost: limit }
}

function singleWrites(
  setting: Setting,
  suffix: string,
  amount: typeof often,
  limits: Readonly<Record<'statement' | 'triggers', number>>,
): Case[] {
  return Object.entries(single).map(([name, workload]) => ({
    name: `${name}${suffix}`,
    setting,
    ...amount,
    workload,
    goals: [atMost(limits.statement, 'statement'), atMost(limits.triggers, 'triggers')],
  }))
}

const bulkGoals: readonly Goal[] = [
  atMost(1.25, 'statement', 'by hand'),
  atMost(4.5, 'statement'),
  atMost(1.1, 'triggers', 'by hand'),
  atMost(1, 'triggers', 'statement'),
  atMost(4.5, 'triggers'),
]

const readGoals: readonly Goal[] = [
  atMost(1.03, 'statement', 'extended'),
  atMost(1.03, 'triggers', 'extended'),
]

export const cases: readonly Case[] = [
  ...singleWrites('ordinary', '', often, { statement: 1.35, triggers: 1.25 }),
  ...singleWrites('named statements', ', named statement', often, { statement: 1.2, triggers: 1.2 }),
  ...singleWrites('1 ms network', ', 1 ms network each way', overNetwork, { statement: 1.1, triggers: 1.08 }),
  {
    name: 'nested create, 1 + 3 rows',
    setting: 'ordinary',
    ...often,
    workload: workloads.nestedCreate,
    goals: [atMost(1.35, 'statement'), atMost(1.3, 'triggers')],
  },
  {
    name: 'transaction of ten writes',
    setting: 'ordinary',
    ...inTransaction,
    workload: workloads.tenWrites,
    goals: [atMost(1.25, 'triggers')],
  },
  {
    name: 'delete with cascade, 1 + 3 rows',
    setting: 'ordinary',
    ...often,
    workload: workloads.cascade(3),
    goals: [atMost(1.5, 'triggers')],
  },
  {
    name: 'delete with cascade, 1 + 1,000 rows',
    setting: 'ordinary',
    ...inBulk,
    workload: workloads.cascade(1_000),
    byHand: cascadeByHand(1_000),
    goals: [atMost(1.2, 'triggers', 'by hand')],
  },
  {
    name: 'delete without children, 62 tables',
    setting: 'ordinary',
    ...inBulk,
    workload: workloads.deleteWorkspace,
    goals: [atMost(1.3, 'triggers')],
  },
  {
    name: 'createMany, 1,000 rows',
    setting: 'ordinary',
    ...inBulk,
    workload: workloads.createMany(1_000),
    goals: [atMost(1.5, 'statement'), atMost(1.3, 'triggers')],
  },
  {
    name: 'createMany, 10,000 rows',
    setting: 'ordinary',
    ...seldom,
    workload: workloads.createMany(10_000),
    goals: [atMost(1.5, 'statement'), atMost(1.3, 'triggers')],
  },
  {
    name: 'updateMany, 1,000 rows',
    setting: 'ordinary',
    ...inBulk,
    workload: workloads.updateMany,
    byHand: updateManyByHand,
    goals: bulkGoals,
  },
  {
    name: 'deleteMany, 1,000 rows',
    setting: 'ordinary',
    ...inBulk,
    workload: workloads.deleteMany,
    byHand: deleteManyByHand,
    goals: bulkGoals,
  },
  {
    name: 'read one',
    setting: 'ordinary',
    ...often,
    workload: workloads.readOne,
    extended: true,
    goals: readGoals,
  },
  {
    name: 'read twenty',
    setting: 'ordinary',
    ...often,
    workload: workloads.readPage,
    extended: true,
    goals: readGoals,
  },
]
