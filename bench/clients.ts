import { createHash } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit } from 'prisma-extension-audit'
import type { BenchDatabase } from './database.ts'
import { PrismaClient } from './generated/client/client.ts'

/** The same client as Prisma makes it, with an extension that does nothing, and audited in both ways. */
export const clientNames = ['plain', 'extended', 'statement', 'triggers'] as const
export type ClientName = (typeof clientNames)[number]

/** Each has a factory and a pool of its own; the one with triggers has a database of its own, too. */
export type Clients = Readonly<Record<ClientName, PrismaClient>>

/** What a client is connected to: where one waits for the network, the addresses are others than the database's own. */
export type Urls = Pick<BenchDatabase, 'url'> & { readonly watched: Pick<BenchDatabase['watched'], 'url'> }

export function createClients({ url, watched }: Urls, createAdapter: (url: string) => PrismaPg): Clients {
  const create = (at: string) => new PrismaClient({ adapter: createAdapter(at) })
  return {
    plain: create(url),
    extended: create(url).$extends({
      query: { $allOperations: ({ args, query }) => query(args) },
    }) as unknown as PrismaClient,
    statement: withAudit(create(url)),
    triggers: withAudit(create(watched.url)),
  }
}

export async function disconnect(clients: Clients): Promise<void> {
  for (const name of clientNames) await clients[name].$disconnect()
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
