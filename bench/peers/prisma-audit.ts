import type pg from 'pg'
import { type AuditMetadata, auditableModels, generateTriggerSql, withAudit } from 'prisma-audit'
import { fillTables } from '../../scripts/fill-tables.ts'
import { quoteIdentifier } from '../../src/postgres/identifiers.ts'
import { requestContext } from '../context.ts'
import { type Contender, type Log, ordinaryClient, type RecordedChange, type Row } from './contender.ts'
import { metadata, tableOf } from './models.ts'
import { unaudited } from './unaudited.ts'

const models = auditableModels(metadata)

/** A table of whole states for each model, under a central table of revisions. Its rows say nothing of what was before. */
const log: Log = {
  schemas: ['schema.prisma', 'prisma-audit.prisma'],
  install: async () => {},
  tables: models.map(({ auditTableName }) => auditTableName),
  fill: (pool, count) => fillTables(pool, ['revision', 'product_aud'], insert, count),
  read,
  recordsBefore: false,
  mergesInTransaction: true,
}

async function read(pool: pg.Pool): Promise<RecordedChange[]> {
  const changes: RecordedChange[] = []
  for (const model of models) {
    const { rows } = await pool.query<{ state: Row }>(
      `SELECT to_jsonb(a) AS state FROM ${quoteIdentifier(model.auditTableName)} AS a`,
    )
    for (const { revisionId, revType, ...state } of rows.map((row) => row.state)) {
      const keys = model.primaryKey.map((name) => String(state[name]))
      const id = keys.length === 1 ? String(keys[0]) : JSON.stringify(keys)
      changes.push({
        key: `${model.name} ${id} ${revisionId}`,
        table: tableOf(model),
        id,
        verb: revType === 'INSERT' ? 'create' : revType === 'DELETE' ? 'delete' : 'update',
        before: revType === 'DELETE' ? state : undefined,
        after: revType === 'DELETE' ? undefined : state,
      })
    }
  }
  return changes
}

const insert = `
  WITH numbered AS (
    INSERT INTO revision ("userId", username)
    SELECT 'actor-' || n % 200, 'actor' FROM generate_series(1, $1::int8) AS n RETURNING id AS n
  )
  INSERT INTO product_aud ("revisionId", "revType", id, sku, name, description, price, stock, status, featured,
    attributes, "warehouseId", "createdAt", "updatedAt")
  SELECT n, 'UPDATE', 'seed-' || n % 10000, 'SKU-' || n, 'Product ' || n,
    'What people say about product ' || n || ' when they have used it for a while', n / 100.0, n % 100, 'ACTIVE',
    n % 2 = 0, '{"color": "green", "tags": ["new"]}'::jsonb, n % 10, now(), now()
  FROM numbered`

function connectWith(own: AuditMetadata): Contender['connect'] {
  const { id, email } = requestContext.actor
  const userProvider = () => ({ userId: id, username: email })
  const onNestedWrite = () => {} // it warns on the console otherwise
  return (pool) => withAudit(ordinaryClient(pool), { metadata: own, userProvider, onNestedWrite })
}

export const prismaAudit: Contender = {
  name: 'prisma-audit',
  log,
  comparedTo: unaudited.name,
  isPeer: true,
  connect: connectWith(metadata),
}

/** As `prisma-audit generate --triggers` makes it. */
const withTriggers = { ...metadata, models: metadata.models.map((model) => ({ ...model, triggers: true })) }

export const prismaAuditTriggers: Contender = {
  name: 'prisma-audit, triggers',
  log: {
    ...log,
    install: async ({ pool }) => void (await pool.query(generateTriggerSql(withTriggers))),
  },
  comparedTo: unaudited.name,
  isPeer: true,
  connect: connectWith(withTriggers),
}
