import type { InternalTable } from '../../log/internal-schema.ts'
import { areReadable, hasRow } from '../../log/internal-tables.ts'
import type { TableName } from '../../postgres/identifiers.ts'
import type { SqlClient } from '../../postgres/sql-client.ts'
import { readKnownPosition } from '../../reader/eras.ts'
import type { ReaderLog } from '../../reader/reader-log.ts'
import { parseNote } from '../../seal/note.ts'
import { readNewestCheckpoints } from '../../seal/stored-checkpoint.ts'
import { readEntrySeal } from '../../seal/verify/entry-seal.ts'
import { readLastVerification } from '../../seal/verify/stored-verification.ts'
import { readUnsealed } from '../../seal/verify/unsealed.ts'
import type { WireIntegrity, WireSeal } from '../wire.ts'

/** Older ones are for `verify`. */
const shownCheckpoints = 20

/** Nobody needs to know exactly how many more wait. */
const mostWaiting = 100_000

/** What the seals are read from. */
const sealTables: readonly InternalTable[] = [
  'eras',
  'consumers',
  'sealed_leaves',
  'seal_salts',
  'seal_nodes',
  'checkpoints',
]

/** The newest checkpoints of a log, what waits for the next, and what was found when it was verified last. */
export async function readIntegrity(connection: SqlClient, table: TableName): Promise<WireIntegrity> {
  if (!(await hasSeals(connection, table))) {
    return { checkpoints: [], waiting: { entries: 0, seconds: 0 }, verification: null }
  }
  const log = { table, connection }
  const position = await readKnownPosition(log)
  const found = await readNewestCheckpoints(log, position.log, shownCheckpoints)
  return {
    checkpoints: found.map(({ number, size, createdAt, note }) => ({
      ...{ number, size, createdAt },
      keys: (parseNote(note)?.signatures ?? []).map(({ name }) => name),
    })),
    waiting: await readUnsealed(log, position, found[0], mostWaiting),
    verification: await readLastVerification(connection, table),
  }
}

/**
 * What the seals say of one entry; null where the log has none.
 *
 * @param isAlone whether nothing may be told of other entries: numbers of checkpoints tell how busy the whole log is
 */
export async function readSeal(log: ReaderLog, id: string, isAlone: boolean): Promise<WireSeal | null> {
  if (!(await hasSeals(log.connection, log.table))) return null
  const seal = await readEntrySeal(log, id)
  if (!seal) return null
  if (seal.state !== 'sealed') return { state: seal.state, checkpoint: null, isErased: false }
  const { state, checkpoint, isErased, isArchived } = seal
  return {
    ...{ state, checkpoint: isAlone ? null : checkpoint, isErased },
    ...(isArchived && { isArchived }),
  }
}

/** Whether the log has a checkpoint, as far as the role may see that. */
export async function hasSeals(connection: SqlClient, table: TableName): Promise<boolean> {
  return (
    (await areReadable(connection, table, sealTables)) && (await hasRow(connection, table, 'checkpoints'))
  )
}
