import { internalSchema, internalTable } from '../../log/internal-schema.ts'
import { quoteTable, type TableName } from '../../postgres/identifiers.ts'
import type { SqlClient } from '../../postgres/sql-client.ts'
import { readConsumerLags } from '../../reader/consumer-lag.ts'
import { readHorizon } from '../../reader/horizon.ts'
import type { WireDelivery } from '../wire.ts'

/** What the database calls the consumer that a sink is: this and the sink's name. */
const prefix = 'sink:'

/** How far the sinks of a log are, and what holds back all of them. */
export async function readDelivery(connection: SqlClient, table: TableName): Promise<WireDelivery> {
  if (!(await hasSinks(connection, table))) return { sinks: [], heldBack: 0, holder: null }
  const log = { table, connection }
  const lags = await readConsumerLags(log)
  const { waitingEntries, holder } = await readHorizon(log)
  return {
    sinks: lags
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name, ...lag }) => ({ name: name.slice(prefix.length), ...lag })),
    heldBack: waitingEntries,
    holder: waitingEntries > 0 ? holder : null,
  }
}

/** Whether the log is delivered to any sink, as far as the role may see that. */
export async function hasSinks(connection: SqlClient, table: TableName): Promise<boolean> {
  const [tables] = await connection.query<{ areReadable: boolean }>(
    `SELECT count(*) = 2 AS "areReadable"
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = $1::text AND c.relname IN ('eras', 'consumers')
       AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')`,
    internalSchema(table),
  )
  if (!tables?.areReadable) return false
  const [sinks] = await connection.query<{ areThere: boolean }>(
    `SELECT EXISTS (
       SELECT FROM ${internalTable(table, 'consumers')} AS s
       JOIN pg_catalog.pg_class AS c ON c.oid = $1::text::regclass
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
       WHERE s.log = pg_catalog.format('%I.%I', n.nspname, c.relname) AND pg_catalog.starts_with(s.name, $2::text)
     ) AS "areThere"`,
    ...[quoteTable(table), prefix],
  )
  return sinks?.areThere === true
}
