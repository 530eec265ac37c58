import { quoteLiteral, quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { WatchedTable } from './watched-tables.ts'

/**
 * The statement that has a table recorded by triggers: one readable line of a migration.
 *
 * @param log the log's table, whose functions make the triggers
 *
 * @example
 * ```ts
 * watchSql({ name: 'audit_logs' }, { table: { schema: 'public', name: 'Order' }, resource: 'order', options: {} })
 * // SELECT "audit_logs_watch"('"public"."Order"', 'order');
 * ```
 */
export function watchSql(log: TableName, { table, resource, options }: WatchedTable): string {
  const given = [quoteTable(table), resource, ...(isEmpty(options) ? [] : [JSON.stringify(options)])]
  return `SELECT ${functionOf(log, 'watch')}(${given.map(literal).join(', ')});`
}

/** The statement that ends what {@link watchSql} began. */
export function unwatchSql(log: TableName, table: TableName): string {
  return `SELECT ${functionOf(log, 'unwatch')}(${literal(quoteTable(table))});`
}

function functionOf(log: TableName, name: string): string {
  return quoteTable({ ...log, name: `${log.name}_${name}` })
}

function literal(text: string): string {
  return quoteLiteral(text).trimStart()
}

function isEmpty(options: object): boolean {
  return Object.keys(options).length === 0
}
