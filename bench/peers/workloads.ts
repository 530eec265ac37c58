import type { Variant } from '../measure.ts'
import { newOrder, newProduct, writeTen } from '../workloads.ts'
import { type Entrant, insertOrders, insertProducts, seededProducts, seededWarehouses } from './database.ts'

/** What a case does with a contender's client. */
export type Workload = (entrant: Entrant) => Omit<Variant, 'name'>

const nothing = async () => {}

/** In no warehouse that is seeded. */
const product = () => newProduct(-1)

/** Every call gets another seeded row, so that callers at once don't wait for each other. */
function seededIds(): () => string {
  let last = 0
  return () => `seed-${last++ % seededProducts}`
}

function changes() {
  const { name, price, stock } = product()
  return { name, price, stock }
}

export const create: Workload = ({ client }) => ({
  prepare: nothing,
  call: () => client.product.create({ data: product() }),
})

export const update: Workload = ({ client }) => {
  const next = seededIds()
  return {
    prepare: nothing,
    call: () => client.product.update({ where: { id: next() }, data: changes() }),
  }
}

export const remove: Workload = ({ client, pool }) => {
  const ids: string[] = []
  return {
    prepare: async (calls) => void ids.push(...(await insertProducts(pool, calls))),
    call: () => client.product.delete({ where: { id: ids.pop() ?? '' } }),
  }
}

/** In turn a row that is new and one that exists. */
export const upsert: Workload = ({ client }) => {
  let last = product()
  let isNew = false
  return {
    prepare: nothing,
    call: () => {
      isNew = !isNew
      if (isNew) last = product()
      return client.product.upsert({ where: { sku: last.sku }, create: last, update: changes() })
    },
  }
}

export const createMany =
  (rows: number): Workload =>
  ({ client }) => {
    const batches: ReturnType<typeof product>[][] = []
    return {
      prepare: async (calls) => {
        for (let call = 0; call < calls; call++) batches.push(Array.from({ length: rows }, product))
      },
      call: () => client.product.createMany({ data: batches.pop() ?? [] }),
    }
  }

export const updateMany: Workload = ({ client }) => {
  let last = 0
  return {
    prepare: nothing,
    call: () =>
      client.product.updateMany({
        where: { warehouseId: last++ % seededWarehouses },
        data: { stock: { increment: 1 }, status: 'ACTIVE' },
      }),
  }
}

export const nestedCreate: Workload = ({ client }) => ({
  prepare: nothing,
  call: () => client.order.create(newOrder()),
})

/** The deletion of an order, which takes so many items with it. */
export const cascade =
  (items: number): Workload =>
  ({ client, pool }) => {
    const ids: string[] = []
    return {
      prepare: async (calls) => void ids.push(...(await insertOrders(pool, calls, items))),
      call: () => client.order.delete({ where: { id: ids.pop() ?? '' } }),
    }
  }

export const tenWrites: Workload = ({ client }) => {
  const next = seededIds()
  return { prepare: nothing, call: () => client.$transaction((tx) => writeTen<string>(tx.product, next)) }
}
