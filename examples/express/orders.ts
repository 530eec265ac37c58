import { Router } from 'express'
import { withAuditContext } from 'prisma-extension-audit'
import type { Database } from './database.ts'
import { requireManager } from './session.ts'

/** Everything about orders. Nothing here knows about the log, except where something happens that is no change of data. */
export function orders(db: Database): Router {
  const router = Router()

  router.get('/', async (_request, response) => {
    response.json(await db.order.findMany({ include: { lines: true, refund: true }, orderBy: { id: 'asc' } }))
  })

  router.post('/', async (request, response) => {
    const { customer, lines } = request.body as {
      customer: string
      lines: { sku: string; quantity: number }[]
    }
    const products = await db.product.findMany({ where: { sku: { in: lines.map(({ sku }) => sku) } } })
    const order = await db.$transaction(async (tx) => {
      for (const { sku, quantity } of lines) {
        await tx.product.update({ where: { sku }, data: { stock: { decrement: quantity } } })
      }
      return tx.order.create({
        data: {
          customer,
          lines: {
            create: lines.map(({ sku, quantity }) => ({
              sku,
              quantity,
              price: products.find((product) => product.sku === sku)?.price ?? 0,
            })),
          },
        },
        include: { lines: true },
      })
    })
    response.status(201).json(order)
  })

  router.patch('/:id', async (request, response) => {
    const { status } = request.body as { status: 'OPEN' | 'SHIPPED' }
    response.json(await db.order.update({ where: { id: Number(request.params.id) }, data: { status } }))
  })

  /** Pays an order back: the order, the stock, the refund and the event commit together, or not at all. */
  router.post('/:id/refund', requireManager, async (request, response) => {
    const id = Number(request.params.id)
    const refund = await withAuditContext({ reason: request.body.reason }, () =>
      db.$transaction(async (tx) => {
        const order = await tx.order.update({
          where: { id },
          data: { status: 'REFUNDED' },
          include: { lines: true },
        })
        for (const { sku, quantity } of order.lines) {
          await tx.product.update({ where: { sku }, data: { stock: { increment: quantity } } })
        }
        const amount = order.lines.reduce((sum, { price, quantity }) => sum + Number(price) * quantity, 0)
        await tx.$audit.record({
          action: 'order.refund',
          resource: { type: 'order', id: String(id) },
          details: { amount: amount.toFixed(2) },
        })
        return tx.refund.create({ data: { orderId: id, amount } })
      }),
    )
    response.status(201).json(refund)
  })

  router.get('/:id/history', async (request, response) => {
    const { entries } = await db.$audit.history('Order', Number(request.params.id))
    response.json(
      entries.map(({ timestamp, action, actor, reason, changes }) => ({
        timestamp,
        action,
        actor,
        reason,
        changes,
      })),
    )
  })

  return router
}

/** All orders as CSV. Who took data out of the house is worth an entry. */
export async function exportOrders(db: Database): Promise<string> {
  const all = await db.order.findMany({ orderBy: { id: 'asc' } })
  await db.$audit.logExport('order', { format: 'csv', rows: all.length })
  const lines = all.map(({ id, customer, status }) => [id, JSON.stringify(customer), status].join(','))
  return ['id,customer,status', ...lines, ''].join('\n')
}
