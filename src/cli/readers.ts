import { AuditError } from '../errors.ts'
import type { Connection } from '../postgres/connection.ts'
import type { TableName } from '../postgres/identifiers.ts'
import { type ConsumerLag, readConsumerLags } from '../reader/consumer-lag.ts'
import { type HorizonHolder, readHorizon } from '../reader/horizon.ts'
import { readerLog } from '../reader/reader-log.ts'
import { sealingConsumer } from '../seal/append.ts'
import { logConnection } from './connection.ts'

/** How far those are that read the log on: sinks (`sink:…`) and subscriptions. */
export interface ReadersStatus {
  readonly consumers: readonly ConsumerLag[]
  /** Committed entries that nobody may read before an older transaction ends, counted up to 10,000. */
  readonly heldBack: number
  /** Who runs that transaction. */
  readonly holder: HorizonHolder | null
}

/** @returns null where nobody reads the log on, or the role may not see it */
export async function readReaders(connection: Connection, table: TableName): Promise<ReadersStatus | null> {
  const log = readerLog({ options: { table }, connection: logConnection(connection) })
  try {
    const consumers = await readConsumerLags(log)
    if (consumers.length === 0) return null
    const { waitingEntries, holder } = await readHorizon(log)
    return { consumers, heldBack: waitingEntries, holder: waitingEntries > 0 ? holder : null }
  } catch (error) {
    // that something is missing is in the checklist, where it has to be there
    if (error instanceof AuditError) return null
    throw error
  }
}

/** A line for each reader, and one for what holds them back. */
export function describeReaders({ consumers, heldBack, holder }: ReadersStatus): string[] {
  const lines = consumers.map(({ name, entries, seconds, isHeld }) => {
    const lag = entries === 0 ? 'up to date' : `${entries} behind, the oldest by ${Math.round(seconds)} s`
    return `${called(name)}: ${lag}${isHeld ? '' : ', and no process is at work'}`
  })
  if (heldBack === 0 || !holder) return lines
  const { pid, gid, application, database, since } = holder
  const who =
    pid === null ? `the prepared transaction ${gid}` : `process ${pid} (${application ?? 'unknown'})`
  return [
    ...lines,
    `${heldBack} held back by ${who} in database ${database}, open since ${since ?? 'an unknown time'}`,
  ]
}

function called(name: string): string {
  if (name === sealingConsumer) return 'seals'
  if (name.startsWith('anchor:')) return `anchor ${name.slice('anchor:'.length)}`
  return name.startsWith('sink:') ? `sink ${name.slice('sink:'.length)}` : `subscription ${name}`
}
