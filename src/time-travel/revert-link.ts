import type { Log } from '../log/log.ts'
import { quoteIdentifier, quoteTable } from '../postgres/identifiers.ts'
import { keyCondition } from '../values/key-condition.ts'
import type { RevertibleChange, RevertibleLink } from './revert-entry.ts'
import { refuse } from './revert-entry.ts'

/**
 * Whether two records are linked now, by a row in the table of an implicit many-to-many relation. The row is locked, so
 * the answer stays true until the transaction ends.
 */
export async function isLinked(
  { connection }: Log,
  change: RevertibleChange,
  { relation, target, targetKey }: RevertibleLink,
): Promise<boolean> {
  const { model, key } = change
  const side = model.relations.get(relation)
  const [own, other] = [model.key[0], target.key[0]]
  const [table] = side
    ? await connection.query<{ schema: string; name: string }>(
        `SELECT n.nspname::text AS schema, c.relname::text AS name
         FROM pg_catalog.pg_constraint f
         JOIN pg_catalog.pg_class c ON c.oid = f.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE f.contype = 'f' AND f.confrelid = $1::regclass AND c.relname = $2`,
        ...[quoteTable(model.location), side.table],
      )
    : []
  if (!side || !table || !own || !other) throw refuse(change.entry, `${relation} no longer links records`)
  const columns = {
    own: quoteIdentifier(side.column),
    other: quoteIdentifier(side.column === 'A' ? 'B' : 'A'),
  }
  const rows = await connection.query(
    `SELECT 1 FROM ${quoteTable(table)}
     WHERE ${keyCondition(own, columns.own, 1)} AND ${keyCondition(other, columns.other, 2)} FOR UPDATE`,
    ...[key[0], targetKey[0]],
  )
  return rows.length > 0
}
