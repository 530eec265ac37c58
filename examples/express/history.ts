import { PrismaPg } from '@prisma/adapter-pg'
import { History, type Who } from '../shared/history.ts'
import { PrismaClient } from './generated/client/client.ts'
import { people, products, withPassword } from './seed.ts'

const days = 28
const customers = ['Carla', 'Dev', 'Eve', 'Farid', 'Grace', 'Hugo', 'Ines']

const ada: Who = { actor: { id: '1', type: 'user', email: 'ada@example.com' }, ip: '198.51.100.20' }
const bob: Who = { actor: { id: '2', type: 'user', email: 'bob@example.com' }, ip: '198.51.100.21' }
const seed: Who = { actor: { id: 'seed', type: 'system' } }
const archive: Who = {
  actor: { id: 'archive', type: 'system' },
  reason: 'archived in the night after shipping',
}

/**
 * Four weeks at the order desk: the people and the products, in the tables and in the log, and the log of orders that have
 * been archived since.
 */
export async function writeHistory(url: string): Promise<void> {
  const history = new History()
  history.at(days + 1, '09:00', seed, () => opening(history))
  for (let daysAgo = days; daysAgo > 0; daysAgo--) oneDay(history, daysAgo)
  // before triggers record the tables, and without withAudit: the history has these rows already
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
  await prisma.user.createMany({ data: people.map(withPassword) })
  await prisma.product.createMany({
    data: products.map(({ sku, ...product }) => ({ ...product, sku, stock: stockOf(history, sku) })),
  })
  await prisma.$disconnect()
  await history.write(url)
}

function opening(history: History): void {
  for (const [index, person] of people.entries()) {
    const id = index + 1
    history.create('user', String(id), { id, ...person, passwordHash: '[redacted]' })
  }
  for (const { sku, ...product } of products) {
    history.create('product', sku, { sku, ...product, ...(sku === 'TEA' && { price: '3.90' }) })
  }
}

function oneDay(history: History, daysAgo: number): void {
  if (daysAgo % 6 === 0) login(history, daysAgo, '08:01', bob, 'wrong password')
  login(history, daysAgo, '08:02', bob)
  login(history, daysAgo, '08:40', ada)
  if (daysAgo === 9) attack(history, daysAgo)
  if (daysAgo % 7 === 0) {
    history.at(daysAgo, '09:00', { ...ada, reason: 'delivery' }, () => {
      for (const { sku, stock } of products) history.update('product', sku, { stock })
    })
    exportOrders(history, daysAgo)
  }
  if (daysAgo === 12) {
    history.at(daysAgo, '09:10', { ...ada, reason: 'new price list' }, () =>
      history.update('product', 'TEA', { price: '4.50' }),
    )
  }
  for (const time of ['10:15', '14:30']) oneOrder(history, daysAgo, time)
}

function login(history: History, daysAgo: number, time: string, who: Who, reason?: string): void {
  const event = { resource: { type: 'user', id: who.actor.id }, failure: reason !== undefined }
  history.at(daysAgo, time, { ...who, ...(reason && { reason }) }, () => history.event('user.login', event))
}

/** Somebody tries names, which the view "Failed logins" shows. */
function attack(history: History, daysAgo: number): void {
  for (const [index, name] of ['root', 'admin', 'test', 'ada', 'admin', 'root'].entries()) {
    const id = `${name}@example.org`
    const stranger: Who = { actor: { id, type: 'user' }, ip: '203.0.113.66' }
    login(history, daysAgo, `03:1${index}`, stranger, 'no such user')
  }
}

function exportOrders(history: History, daysAgo: number): void {
  history.at(daysAgo, '16:00', ada, () =>
    history.event('order.export', {
      resource: { type: 'order', id: null },
      details: { format: 'csv', rows: 2 },
    }),
  )
}

let orders = 1000

/** From the order to the archive. */
function oneOrder(history: History, daysAgo: number, time: string): void {
  const number = ++orders
  const id = String(number)
  const customer = customers[number % customers.length]
  const { sku } = products[number % 3 === 0 ? 1 : 0]
  const quantity = 1 + (number % 3)
  const line = JSON.stringify([id, sku])
  const takeFromStock = (count: number) =>
    history.update('product', sku, { stock: stockOf(history, sku) - count })
  const price = history.row('product', sku).price as string

  history.at(daysAgo, time, bob, () => {
    takeFromStock(quantity)
    history.create('order', id, { id: number, customer, status: 'OPEN' })
    history.create('orderLine', line, { orderId: number, sku, quantity, price })
  })
  history.at(daysAgo, '17:20', bob, () => history.update('order', id, { status: 'SHIPPED' }))
  const isRefunded = number % 10 === 0
  if (isRefunded) {
    const amount = (Number(price) * quantity).toFixed(2)
    history.at(daysAgo, '19:45', { ...ada, reason: 'arrived broken' }, () => {
      history.update('order', id, { status: 'REFUNDED' })
      takeFromStock(-quantity)
      history.event('order.refund', { resource: { type: 'order', id }, details: { amount } })
      history.create('refund', id, { orderId: number, amount })
    })
  }
  history.at(daysAgo, '23:30', archive, () => {
    if (isRefunded) history.delete('refund', id)
    history.delete('order', id)
    history.delete('orderLine', line, 'order.delete')
  })
}

function stockOf(history: History, sku: string): number {
  return history.row('product', sku).stock as number
}
