import { withAuditContext } from 'prisma-extension-audit'
import type { Database } from './database.ts'
import { hashPassword } from './session.ts'

/** Two people to begin with. Their passwords are their names. */
export const people = [
  { email: 'ada@example.com', name: 'Ada', role: 'MANAGER' },
  { email: 'bob@example.com', name: 'Bob', role: 'CLERK' },
] as const

export const products = [
  { sku: 'TEA', name: 'Tea', price: '4.50', stock: 100 },
  { sku: 'CUP', name: 'Cup', price: '12.00', stock: 30 },
  { sku: 'POT', name: 'Tea pot', price: '39.90', stock: 5 },
] as const

export function withPassword<Person extends { name: string }>(person: Person) {
  return { ...person, passwordHash: hashPassword(person.name.toLowerCase()) }
}

/** Fills a database that somebody else made. One of the example's own comes with a past: see history.ts. */
export async function seed(db: Database): Promise<void> {
  if ((await db.user.count()) > 0) return
  await withAuditContext({ actor: { id: 'seed', type: 'system' } }, async () => {
    await db.user.createMany({ data: people.map(withPassword) })
    await db.product.createMany({ data: [...products] })
  })
}
