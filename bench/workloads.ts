import type pg from 'pg'
import {
  insertOrders,
  insertProducts,
  insertWorkspaces,
  seededPerWarehouse,
  seededWarehouses,
} from './database.ts'
import type { PrismaClient } from './generated/client/client.ts'
import type { Variant } from './measure.ts'

/** What a case does, with a given client: a variant without its name. */
export type Workload = (client: PrismaClient, pool: pg.Pool) => Omit<Variant, 'name'>

const nothing = async () => {}
let number = 0

/** The data of a product that nobody has yet. */
export function newProduct(warehouseId: number) {
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
    warehouseId,
  } as const
}

/** The arguments that create an order of three items, and give it whole. */
export function newOrder() {
  const items = [1, 2, 3].map((quantity) => ({ sku: `SKU-${quantity}`, quantity, price: 9.5 }))
  return {
    data: { customer: 'Ada Lovelace', total: 57, status: 'ACTIVE', items: { create: items } },
    include: { items: true },
  } as const
}

/** Ids of seeded rows, one after the other. */
function seededIds(): () => number {
  let last = 0
  return () => (last++ % (seededWarehouses * seededPerWarehouse)) + 1
}

/** A warehouse of 1,000 seeded rows, one after the other. */
export function seededWarehouse(): () => number {
  let last = 0
  return () => last++ % seededWarehouses
}

let newestWarehouse = seededWarehouses

/** For each call a new warehouse of 1,000 rows to remove. */
export function fullWarehouses(pool: pg.Pool): { prepare: Variant['prepare']; next: () => number } {
  const full: number[] = []
  return {
    next: () => full.pop() ?? -1,
    prepare: async (calls) => {
      for (let call = 0; call < calls; call++) {
        newestWarehouse += 1
        await insertProducts(pool, seededPerWarehouse, newestWarehouse)
        full.push(newestWarehouse)
      }
    },
  }
}

export const create: Workload = (client) => ({
  prepare: nothing,
  call: () => client.product.create({ data: newProduct(-1) }),
})

export const update: Workload = (client) => {
  const next = seededIds()
  return {
    prepare: nothing,
    call: () => {
      const { name, price, stock } = newProduct(0)
      return client.product.update({ where: { id: next() }, data: { name, price, stock } })
    },
  }
}

export const remove: Workload = (client, pool) => {
  const ids: number[] = []
  return {
    prepare: async (calls) => void ids.push(...(await insertProducts(pool, calls, -1))),
    call: () => client.product.delete({ where: { id: ids.pop() ?? -1 } }),
  }
}

/** In turn a row that is new and one that exists. */
export const upsert: Workload = (client) => {
  let last = newProduct(-1)
  let isNew = false
  return {
    prepare: nothing,
    call: () => {
      isNew = !isNew
      if (isNew) last = newProduct(-1)
      const { stock, price } = newProduct(-1)
      return client.product.upsert({ where: { sku: last.sku }, create: last, update: { stock, price } })
    },
  }
}

export const nestedCreate: Workload = (client) => ({
  prepare: nothing,
  call: () => client.order.create(newOrder()),
})

export const createMany =
  (rows: number): Workload =>
  (client) => {
    const batches: ReturnType<typeof newProduct>[][] = []
    return {
      prepare: async (calls) => {
        for (let call = 0; call < calls; call++) {
          batches.push(Array.from({ length: rows }, () => newProduct(-1)))
        }
      },
      call: () => client.product.createMany({ data: batches.pop() ?? [] }),
    }
  }

export const updateMany: Workload = (client) => {
  const next = seededWarehouse()
  return {
    prepare: nothing,
    call: () =>
      client.product.updateMany({
        where: { warehouseId: next() },
        data: { stock: { increment: 1 }, status: 'ACTIVE' },
      }),
  }
}

export const deleteMany: Workload = (client, pool) => {
  const { prepare, next } = fullWarehouses(pool)
  return { prepare, call: () => client.product.deleteMany({ where: { warehouseId: next() } }) }
}

/** The products of a transaction, of whichever schema of the benchmarks. */
interface Products<Id> {
  create(args: { data: ReturnType<typeof newProduct> }): PromiseLike<unknown>
  update(args: {
    where: { id: Id }
    data: Pick<ReturnType<typeof newProduct>, 'name' | 'price' | 'stock'>
  }): PromiseLike<unknown>
}

/** Five creates and five updates, one after the other. */
export async function writeTen<Id>(product: Products<Id>, next: () => Id): Promise<void> {
  for (let pair = 0; pair < 5; pair++) {
    const { name, price, stock } = newProduct(-1)
    await product.create({ data: newProduct(-1) })
    await product.update({ where: { id: next() }, data: { name, price, stock } })
  }
}

export const tenWrites: Workload = (client) => {
  const next = seededIds()
  return { prepare: nothing, call: () => client.$transaction((tx) => writeTen<number>(tx.product, next)) }
}

/** For each call an order of so many items to delete. */
export function filledOrders(
  pool: pg.Pool,
  items: number,
): { prepare: Variant['prepare']; next: () => number } {
  const filled: number[] = []
  return {
    prepare: async (calls) => void filled.push(...(await insertOrders(pool, calls, items))),
    next: () => filled.pop() ?? -1,
  }
}

/** The deletion of an order, which takes its items with it. */
export const cascade =
  (items: number): Workload =>
  (client, pool) => {
    const { prepare, next } = filledOrders(pool, items)
    return { prepare, call: () => client.order.delete({ where: { id: next() } }) }
  }

interface Deletable {
  delete(args: { where: { id: string } }): Promise<unknown>
}

/** The deletion of a record without children, which might have had some in most of 62 tables. */
export const deleteWorkspace: Workload = (client, pool) => {
  const { workspace } = client as unknown as Record<'workspace', Deletable>
  const ids: string[] = []
  return {
    prepare: async (calls) => void ids.push(...(await insertWorkspaces(pool, calls))),
    call: () => workspace.delete({ where: { id: ids.pop() ?? '' } }),
  }
}

export const readOne: Workload = (client) => {
  const next = seededIds()
  return { prepare: nothing, call: () => client.product.findUnique({ where: { id: next() } }) }
}

export const readPage: Workload = (client) => {
  const next = seededWarehouse()
  return {
    prepare: nothing,
    call: () => client.product.findMany({ where: { warehouseId: next() }, orderBy: { id: 'asc' }, take: 20 }),
  }
}
