import { withAuditContext } from 'prisma-extension-audit'
import type { Database } from './database.ts'
import { hashPassword } from './session.ts'

/** Two people and three products to begin with. Their passwords are their names. */
export async function seed(db: Database): Promise<void> {
  if ((await db.user.count()) > 0) return
  await withAuditContext({ actor: { id: 'seed', type: 'system' } }, async () => {
    await db.user.createMany({
      data: [
        { email: 'ada@example.com', name: 'Ada', passwordHash: hashPassword('ada'), role: 'MANAGER' },
        { email: 'bob@example.com', name: 'Bob', passwordHash: hashPassword('bob') },
      ],
    })
    await db.product.createMany({
      data: [
        { sku: 'TEA', name: 'Tea', price: 4.5, stock: 100 },
        { sku: 'CUP', name: 'Cup', price: 12, stock: 30 },
        { sku: 'POT', name: 'Tea pot', price: 39.9, stock: 5 },
      ],
    })
  })
}
