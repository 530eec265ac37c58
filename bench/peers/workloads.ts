import type { Variant } from '../measure.ts'
import { type Entrant, insertProducts, seededProducts, seededWarehouses } from './database.ts'

/** What a case does with a contender's client. */
export type Workload = (entrant: Entrant) => Omit<Variant, 'name'>

const nothing = async () => {}
let number = 0

function newProduct() {
  number += 1
  return {
    sku: `SKU-${number}`,
    name: `Product ${number}`,
    description: `What people say about product ${number} when they have used it for a while`,
    price: number / 100,
    stock: number % 100,
    status: 'ACTIVE',
    featured: number % 2 === 0,
    attributes: { color: 'green', weight: number % 1_000, tags: ['new', 'sale'] },
    warehouseId: -1,
  } as const
}

/** Every call gets another seeded row, so that callers at once don't wait for each other. */
function seededIds(): () => string {
  let last = 0
  return () => `seed-${last++ % seededProducts}`
}

function changes() {
  const { name, price, stock } = newProduct()
  return { name, price, stock }
}

export const create: Workload = ({ client }) => ({
  prepare: nothing,
  call: () => client.product.create({ data: newProduct() }),
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
  let last = newProduct()
  let isNew = false
  return {
    prepare: nothing,
    call: () => {
      isNew = !isNew
      if (isNew) last = newProduct()
      return client.product.upsert({ where: { sku: last.sku }, create: last, update: changes() })
    },
  }
}

export const createMany =
  (rows: number): Workload =>
  ({ client }) => {
    const batches: ReturnType<typeof newProduct>[][] = []
    return {
      prepare: async (calls) => {
        for (let call = 0; call < calls; call++) batches.push(Array.from({ length: rows }, newProduct))
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
  call: () => {
    const items = [1, 2, 3].map((quantity) => ({ sku: `SKU-${quantity}`, quantity, price: 9.5 }))
    return client.order.create({
      data: { customer: 'Ada Lovelace', total: 57, status: 'ACTIVE', items: { create: items } },
      include: { items: true },
    })
  },
})

/** Five creates and five updates, one after the other in one interactive transaction. */
export const tenWrites: Workload = ({ client }) => {
  const next = seededIds()
  return {
    prepare: nothing,
    call: () =>
      client.$transaction(
        async (tx) => {
          for (let pair = 0; pair < 5; pair++) {
            await tx.product.create({ data: newProduct() })
            await tx.product.update({ where: { id: next() }, data: changes() })
          }
        },
        { timeout: 60_000, maxWait: 60_000 },
      ),
  }
}
