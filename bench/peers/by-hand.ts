import { requestContext } from '../context.ts'
import type { Prisma, PrismaClient } from '../generated/peers/client/client.ts'
import { auditLogModel } from './audit-log-model.ts'
import { type Contender, ordinaryClient } from './contender.ts'
import { unaudited } from './unaudited.ts'

interface Arguments {
  readonly where?: unknown
  readonly data?: unknown
}
type Entity = { readonly id: unknown }
/** The methods of any model. */
type Delegate = Record<'findUnique' | 'create' | 'update' | 'upsert' | 'delete', Method<Entity>> &
  Record<'findMany' | 'createManyAndReturn' | 'updateManyAndReturn', Method<Entity[]>> &
  Record<'updateMany' | 'deleteMany', Method<unknown>>
type Method<Result> = (args: object) => Promise<Result>

/**
 * The extension that people write by hand, as posts about it have it: in a transaction, read the row, do the operation,
 * insert the log row. Written with more care than most, as it also does bulk writes row by row.
 */
function auditByHand(prisma: PrismaClient): PrismaClient {
  const extended = prisma.$extends({
    query: {
      $allModels: {
        async $allOperations({ model, operation, args, query }) {
          const audited = operations[operation]
          if (model === 'AuditLog' || !audited) return query(args)
          return prisma.$transaction(async (tx) => {
            const delegates = tx as unknown as Record<string, Delegate>
            const delegate = delegates[model.charAt(0).toLowerCase() + model.slice(1)] as Delegate
            const { result, changes } = await audited(delegate, args as Arguments)
            const data = changes.map(([before, after]) => logRow(model, before, after))
            if (data.length === 1 && data[0]) await tx.auditLog.create({ data: data[0] })
            else await tx.auditLog.createMany({ data })
            return result as never
          })
        },
      },
    },
  })
  return extended as unknown as PrismaClient
}

type Change = readonly [before: Entity | null, after: Entity | null]
type Operation = (model: Delegate, args: Arguments) => Promise<{ result: unknown; changes: Change[] }>

const operations: Record<string, Operation> = {
  async create(model, args) {
    const result = await model.create(args)
    return { result, changes: [[null, result]] }
  },
  async update(model, args) {
    const before = await model.findUnique({ where: args.where })
    const result = await model.update(args)
    return { result, changes: [[before, result]] }
  },
  async upsert(model, args) {
    const before = await model.findUnique({ where: args.where })
    const result = await model.upsert(args)
    return { result, changes: [[before, result]] }
  },
  async delete(model, args) {
    const before = await model.findUnique({ where: args.where })
    const result = await model.delete(args)
    return { result, changes: [[before, null]] }
  },
  async createMany(model, args) {
    const created = await model.createManyAndReturn(args)
    return { result: { count: created.length }, changes: created.map((after) => [null, after]) }
  },
  async createManyAndReturn(model, args) {
    const created = await model.createManyAndReturn(args)
    return { result: created, changes: created.map((after) => [null, after]) }
  },
  async updateMany(model, args) {
    const before = await model.findMany({ where: args.where })
    const result = await model.updateMany(args)
    const after = await model.findMany({ where: { id: { in: before.map(({ id }) => id) } } })
    return { result, changes: pairs(before, after) }
  },
  async updateManyAndReturn(model, args) {
    const before = await model.findMany({ where: args.where })
    const result = await model.updateManyAndReturn(args)
    return { result, changes: pairs(before, result) }
  },
  async deleteMany(model, args) {
    const before = await model.findMany({ where: args.where })
    const result = await model.deleteMany(args)
    return { result, changes: before.map((one) => [one, null]) }
  },
}

function pairs(before: Entity[], after: Entity[]): Change[] {
  const byId = new Map(after.map((one) => [one.id, one]))
  return before.map((one) => [one, byId.get(one.id) ?? null])
}

function logRow(model: string, before: Entity | null, after: Entity | null): Prisma.AuditLogCreateManyInput {
  return {
    model,
    recordId: String((after ?? before)?.id),
    action: before === null ? 'CREATE' : after === null ? 'DELETE' : 'UPDATE',
    ...(before && { oldData: JSON.parse(JSON.stringify(before)) }),
    ...(after && { newData: JSON.parse(JSON.stringify(after)) }),
    userId: requestContext.actor.id,
    ipAddress: requestContext.ip,
    userAgent: requestContext.userAgent,
  }
}

/** With indexes for the same searches as this library's log. */
const indexes = `
  CREATE INDEX ON audit_logs USING brin (created_at);
  CREATE INDEX ON audit_logs (user_id, created_at DESC);
  CREATE INDEX ON audit_logs (model, record_id, created_at DESC);
  CREATE INDEX ON audit_logs (action, created_at DESC);`

export const byHand: Contender = {
  name: 'read, write, insert by hand',
  log: { ...auditLogModel, install: async ({ pool }) => void (await pool.query(indexes)) },
  comparedTo: unaudited.name,
  isPeer: true,
  connect: (pool) => auditByHand(ordinaryClient(pool)),
}
