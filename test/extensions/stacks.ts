import { readFileSync } from 'node:fs'
import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, expect } from 'vitest'
import { createScript } from '../../scripts/schema-engine.ts'
import { type Audited, type AuditOptions, withAudit } from '../../src/index.ts'
import type { PrismaClientLike } from '../../src/prisma-7/audited.ts'
import { PrismaClient } from '../generated/extensions/client/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { outcome } from '../support/outcome.ts'
import { type Recorded, recorded } from '../support/recorded.ts'
import { watchedTables, watchTables } from '../support/watch.ts'

/** Where the other extension stands: `withAudit(client.$extends(other))` or `withAudit(client).$extends(other)`. */
export const orders = ['before', 'after'] as const
export type Order = (typeof orders)[number]

type Extend<Client, Extended> = (client: Client) => Extended
type Stacked<Client, Extended> = Extended & Pick<Audited<Client>, '$audit'>

/** The client with the audit and another extension. */
export function stack<Client extends PrismaClientLike, Extended extends PrismaClientLike>(
  order: Order,
  client: Client,
  extend: Extend<Client, Extended>,
  options: AuditOptions<Client> = {},
): Stacked<Client, Extended> {
  const stacked =
    order === 'before'
      ? withAudit(extend(client) as unknown as Client, options)
      : extend(withAudit(client, options))
  return stacked as unknown as Stacked<Client, Extended>
}

/** The same extension with the audit and without it, each on a database of its own. */
export async function createStacks<Client extends PrismaClientLike, Extended extends PrismaClientLike>(
  order: Order,
  connect: (db: Database) => Client,
  extend: Extend<Client, Extended>,
  { setUp = '', ...options }: AuditOptions<Client> & { setUp?: string } = {},
) {
  const [db, twin] = [await createDatabase(), await createDatabase()]
  await Promise.all([db.sql(setUp), twin.sql(setUp)])
  if (setUp !== '') await watchTables(db, schema, watchedTables, options)
  const prisma = stack(order, connect(db), extend, options as AuditOptions<Client>)
  const unaudited = extend(connect(twin))
  return {
    db,
    prisma,
    /** Does the same with both, asserts that they give the same, and gives what was recorded of it, in order. */
    async recordedBy(work: (client: Extended) => PromiseLike<unknown>): Promise<Recorded[]> {
      const since = await db.lastSeq()
      expect(await outcome(() => work(prisma))).toEqual(await outcome(() => work(unaudited)))
      await prisma.$audit.flush()
      return (await db.entries(since)).map(recorded)
    },
  }
}

/** A client of the schema for extensions. */
export function connect({ url }: Pick<Database, 'url'>): PrismaClient {
  const client = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
  afterAll(() => client.$disconnect())
  return client
}

/** What Prisma knows of that schema: the DMMF, which Prisma 7's client has no more at run time. */
export const dmmf = {
  datamodel: JSON.parse(readFileSync('test/generated/extensions/data-model.json', 'utf8')),
}

const schema = readFileSync('test/prisma/extensions.prisma', 'utf8')

/** The SQL that makes its tables. */
export async function tablesForExtensions(): Promise<string> {
  const { url } = await createDatabase()
  return createScript(url, schema)
}
