import { deleteManyByHand, updateManyByHand } from './by-hand.ts'
import type { Workload } from './workloads.ts'
import * as workloads from './workloads.ts'

/** A limit for the time of the audited client, as a multiple of another variant's. */
export interface Goal {
  readonly to: 'plain' | 'by hand'
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
const inBulk: typeof often = {
  repetition: { calls: 3, warmUp: 12, ofRounds: 1 },
  quick: { calls: 1, warmUp: 2, ofRounds: 1 },
}
const seldom: typeof often = { repetition: { calls: 1, warmUp: 2, ofRounds: 0.3 }, quick: undefined }

function singleWrites(setting: Setting, suffix: string, amount: typeof often, atMost: number): Case[] {
  return Object.entries(single).map(([name, workload]) => ({
    name: `${name}${suffix}`,
    setting,
    ...amount,
    workload,
    goals: [{ to: 'plain', atMost }],
  }))
}

const bulkGoals: readonly Goal[] = [
  { to: 'by hand', atMost: 1.25 },
  { to: 'plain', atMost: 4.5 },
]

export const cases: readonly Case[] = [
  ...singleWrites('ordinary', '', often, 1.35),
  ...singleWrites('named statements', ', named statement', often, 1.2),
  ...singleWrites('1 ms network', ', 1 ms network each way', overNetwork, 1.1),
  {
    name: 'nested create, 1 + 3 rows',
    setting: 'ordinary',
    ...often,
    workload: workloads.nestedCreate,
    goals: [{ to: 'plain', atMost: 1.35 }],
  },
  {
    name: 'createMany, 1,000 rows',
    setting: 'ordinary',
    ...inBulk,
    workload: workloads.createMany(1_000),
    goals: [{ to: 'plain', atMost: 1.5 }],
  },
  {
    name: 'createMany, 10,000 rows',
    setting: 'ordinary',
    ...seldom,
    workload: workloads.createMany(10_000),
    goals: [{ to: 'plain', atMost: 1.5 }],
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
]
