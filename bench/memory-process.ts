import { setTimeout as sleep } from 'node:timers/promises'
import { withAudit, withAuditContext } from 'prisma-extension-audit'
import { ordinaryAdapter } from './clients.ts'
import { requestContext } from './context.ts'
import { PrismaClient } from './generated/client/client.ts'
import type { MemoryUse } from './memory.ts'

const [url = '', name, statements, first] = process.argv.slice(2)

/** A write whose text hardly another one shares: by the length of a list, or by a comment. */
function write(client: PrismaClient, n: number): PromiseLike<unknown> {
  switch (n % 4) {
    case 0: {
      const items = Array.from({ length: 1 + ((n / 4) % 61) }, (_, quantity) => ({
        orderId,
        sku: `S-${n}`,
        quantity,
        price: 1,
      }))
      return client.orderItem.createMany({ data: items })
    }
    case 1:
      return client.order.updateMany({
        where: { id: { in: Array.from({ length: 1 + (n % 997) }, (_, index) => orderId + index) } },
        data: { customer: `Customer ${n}` },
      })
    case 2:
      return client.$executeRawUnsafe(
        `UPDATE "Order" SET "customer" = 'Customer ${n}' /* request ${n} */ WHERE "id" = ${orderId}`,
      )
    default:
      return client.$executeRawUnsafe(
        `UPDATE "Order" SET "customer" = $1 WHERE "id" = $2 /* traceparent='00-${String(n).padStart(32, '0')}-01' */`,
        `Customer ${n}`,
        orderId,
      )
  }
}

async function readMemory(done: number): Promise<void> {
  // what the last calls left is freed step by step: collect until nothing more goes
  for (let round = 0; round < 5; round++) {
    globalThis.gc?.()
    await sleep(20)
  }
  const { heapUsed, external } = process.memoryUsage()
  process.send?.({ statements: done, heap: heapUsed, external } satisfies MemoryUse)
}

const plain = new PrismaClient({ adapter: ordinaryAdapter(url) })
const client = name === 'audited' ? withAudit(plain) : plain
const { id: orderId } = await client.order.create({ data: { customer: 'Ada Lovelace', total: 1 } })
await withAuditContext(requestContext, async () => {
  for (let n = 1; n <= Number(statements); n++) {
    await write(client, n)
    if (n === Number(first) || n === Number(statements)) await readMemory(n)
  }
})
await client.$disconnect()
process.disconnect?.()
