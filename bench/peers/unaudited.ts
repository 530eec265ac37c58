import { type Contender, noLog, ordinaryClient, preparingClient } from './contender.ts'

const common = { log: noLog, isPeer: false }

/** Prisma alone, which every cost is set against. */
export const unaudited: Contender = {
  ...common,
  name: 'unaudited Prisma',
  comparedTo: 'unaudited Prisma',
  connect: ordinaryClient,
}

export const unauditedPreparing: Contender = {
  ...common,
  name: 'unaudited Prisma, named statements',
  comparedTo: 'unaudited Prisma, named statements',
  connect: preparingClient,
}
