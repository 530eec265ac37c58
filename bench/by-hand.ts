import { requestContext } from './context.ts'
import { filledOrders, fullWarehouses, seededWarehouse, type Workload } from './workloads.ts'

/**
 * The same changes and a log insert as somebody would type them: one statement, whole rows by `to_jsonb`, ids by
 * the server. It promises less than the audited client: no `changed`, no value rules (a bigint as JSON number, a
 * timestamp without `Z`), an entry also for a row that stays the same.
 */
const updateWithLog = `
  WITH changed AS (
    UPDATE "Product" SET "stock" = "stock" + 1, "status" = 'ACTIVE', "updatedAt" = $2::timestamp
    WHERE "warehouseId" = $1
    RETURNING WITH (OLD AS o, NEW AS n) n."id", to_jsonb(o) AS before, to_jsonb(n) AS after
  )
  ${insertLog('product', 'update', `jsonb_build_object('before', before, 'after', after)`, 3)}`

const deleteWithLog = `
  WITH changed AS (
    DELETE FROM "Product" AS p WHERE "warehouseId" = $1 RETURNING p."id", to_jsonb(p) AS before
  )
  ${insertLog('product', 'delete', `jsonb_build_object('before', before)`, 2)}`

/** The items go by a DELETE of their own, and nothing is left for the referential action. */
const cascadeWithLog = `
  WITH items AS (
    DELETE FROM "OrderItem" AS i WHERE "orderId" = $1 RETURNING i."id", to_jsonb(i) AS before
  ), changed AS (
    DELETE FROM "Order" AS o WHERE "id" = $1 RETURNING o."id", to_jsonb(o) AS before
  ), entries AS (
    ${insertLog('order', 'delete', `jsonb_build_object('before', before)`, 2)}
  )
  ${insertLog('orderItem', 'delete', `jsonb_build_object('before', before, 'cause', 'order.delete')`, 2, 'items')}`

function insertLog(
  resource: string,
  verb: string,
  details: string,
  firstParameter: number,
  from = 'changed',
): string {
  const context = ['text', 'text', 'text', 'text', 'inet', 'text', 'text'].map(
    (type, index) => `$${firstParameter + index}::${type}`,
  )
  return `INSERT INTO audit_logs (
      id, action, resource_type, resource_id, details,
      actor_id, actor_type, actor_email, request_id, ip, user_agent, organization_id
    )
    SELECT uuidv7(), '${resource}.${verb}', '${resource}', "id"::text, ${details}, ${context.join(', ')}
    FROM ${from}`
}

function contextValues(): string[] {
  const { actor, requestId, ip, userAgent, organizationId } = requestContext
  return [actor.id, actor.type, actor.email, requestId, ip, userAgent, organizationId]
}

export const updateManyByHand: Workload = (client) => {
  const next = seededWarehouse()
  return {
    prepare: async () => {},
    call: () => client.$executeRawUnsafe(updateWithLog, next(), new Date().toISOString(), ...contextValues()),
  }
}

export const deleteManyByHand: Workload = (client, pool) => {
  const { prepare, next } = fullWarehouses(pool)
  return { prepare, call: () => client.$executeRawUnsafe(deleteWithLog, next(), ...contextValues()) }
}

export const cascadeByHand =
  (items: number): Workload =>
  (client, pool) => {
    const { prepare, next } = filledOrders(pool, items)
    return { prepare, call: () => client.$executeRawUnsafe(cascadeWithLog, next(), ...contextValues()) }
  }
