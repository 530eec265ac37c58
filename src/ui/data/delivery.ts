import { areReadable, hasRow } from '../../log/internal-tables.ts'
import type { TableName } from '../../postgres/identifiers.ts'
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
  return (
    (await areReadable(connection, table, ['eras', 'consumers'])) &&
    (await hasRow(connection, table, 'consumers', prefix))
  )
}
