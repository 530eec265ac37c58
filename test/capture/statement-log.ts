import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { afterAll } from 'vitest'
import type { Want } from '../../src/capture/rewrite/audited-statement.ts'
import { type AuditOptions, withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'

export interface Sent {
  readonly sql: string
  readonly args: readonly unknown[]
  /** What is to come back: the rows of the statement, or their number. */
  readonly want?: Want
}

/** What an adapter was asked to do, in order. */
export class StatementLog {
  #sent: Sent[] = []
  /** Called before a statement goes to the database, which waits for it. */
  before: ((sent: Sent) => Promise<void>) | undefined

  add(sent: Sent): void {
    this.#sent.push(sent)
  }

  /** The statements that `work` sends. The catalog and the check of the connection don't count. */
  async during(work: () => PromiseLike<unknown>): Promise<Sent[]> {
    this.#sent = []
    await work()
    return this.#sent.filter(({ sql }) => !isCatalogQuery(sql))
  }

  get catalogReads(): number {
    return this.#sent.filter(({ sql }) => isCatalogQuery(sql) && !asksMeaning(sql)).length
  }
}

function isCatalogQuery(sql: string): boolean {
  return /pg_catalog\.pg_(?:class|proc)\b/.test(sql)
}

/** What a name without a schema means in a transaction is asked with each statement, and reads no table's definition. */
function asksMeaning(sql: string): boolean {
  return sql.includes('to_regclass')
}

/** A factory of adapters that writes down what goes to the database. The audit's tap goes around it. */
export function loggedAdapter(config: pg.PoolConfig): { adapter: PrismaPg; log: StatementLog } {
  const log = new StatementLog()
  const adapter = new PrismaPg(config)
  const connect = adapter.connect.bind(adapter)
  const watch = <T extends object>(target: T, begin?: () => void): T =>
    new Proxy(target, {
      get(_, key) {
        const value = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        return (...values: unknown[]) => {
          if (key === 'queryRaw' || key === 'executeRaw') {
            const sent: Sent = { ...(values[0] as Sent), want: key === 'queryRaw' ? 'rows' : 'count' }
            log.add(sent)
            if (log.before) return log.before(sent).then(() => value.apply(target, values))
          }
          if (key === 'startTransaction') {
            begin?.()
            return value.apply(target, values).then((transaction: object) => watch(transaction))
          }
          return value.apply(target, values)
        }
      },
    })
  adapter.connect = async () => watch(await connect(), () => log.add({ sql: 'BEGIN', args: [] }))
  return { adapter, log }
}

/** An audited client and the log of its statements. */
export function createLogged(
  config: pg.PoolConfig,
  options: AuditOptions<PrismaClient> = {},
): { prisma: PrismaClient; log: StatementLog } {
  const { adapter, log } = loggedAdapter(config)
  const prisma = withAudit(new PrismaClient({ adapter }), options)
  afterAll(() => prisma.$disconnect())
  return { prisma: prisma as unknown as PrismaClient, log }
}

/** An unaudited client and the log of its statements. */
export function createLoggedPlain(config: pg.PoolConfig): { prisma: PrismaClient; log: StatementLog } {
  const { adapter, log } = loggedAdapter(config)
  const prisma = new PrismaClient({ adapter })
  afterAll(() => prisma.$disconnect())
  return { prisma, log }
}

/**
 * Statements in a word or two: `INSERT`, `INSERT + entries` (audited), `lock`, `lock reached`, `BEGIN`, `COMMIT`,
 * `SAVEPOINT`, `RELEASE`, `SELECT`.
 */
export function kinds(sent: readonly Sent[]): string[] {
  return sent.map(({ sql }) => {
    if (/INSERT INTO (?:"public"\.)?"audit_logs"/.test(sql)) {
      const write = /AS \(\s*(?:WITH [\s\S]*?)?(INSERT|UPDATE|DELETE)\b/.exec(sql)?.[1]
      return `${write} + entries`
    }
    // the function of the log's migration, called for each row
    if (/RETURNING [\s\S]*"audit_logs_record"\(/.test(sql)) return `${/^\s*(\w+)/.exec(sql)?.[1]} + entries`
    if (/FOR (?:NO KEY )?UPDATE/.test(sql)) return /^WITH RECURSIVE/.test(sql) ? 'lock reached' : 'lock'
    return /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase() ?? sql
  })
}
