import { createHash } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit } from 'prisma-extension-audit'
import { PrismaClient } from './generated/client/client.ts'

/** The same client twice: as Prisma makes it, and audited. Each has a factory and a pool of its own. */
export interface ClientPair {
  readonly plain: PrismaClient
  readonly audited: PrismaClient
  disconnect(): Promise<void>
}

export function createPair(createAdapter: () => PrismaPg): ClientPair {
  const plain = new PrismaClient({ adapter: createAdapter() })
  const audited = withAudit(new PrismaClient({ adapter: createAdapter() }))
  return {
    plain,
    audited,
    disconnect: async () => {
      await plain.$disconnect()
      await audited.$disconnect()
    },
  }
}

/** The adapter as most applications create it. */
export function ordinaryAdapter(url: string): PrismaPg {
  return new PrismaPg({ connectionString: url })
}

/** With named prepared statements, which the server plans once a connection. */
export function preparingAdapter(url: string): PrismaPg {
  return new PrismaPg(
    { connectionString: url },
    { statementNameGenerator: ({ sql }) => createHash('sha1').update(sql).digest('hex') },
  )
}
