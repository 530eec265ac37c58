import { AuditError } from '../../errors.ts'
import { quoteTable } from '../../postgres/identifiers.ts'
import { type KnownPosition, readKnownPosition } from '../../reader/eras.ts'
import type { ReaderLog } from '../../reader/reader-log.ts'
import { readCheckpoint, readHead, type StoredCheckpoint } from '../stored-checkpoint.ts'

/** A log with its seals, as they are when it begins to be verified. */
export interface SealedLog extends ReaderLog {
  readonly position: KnownPosition
  /** How many leaves its newest checkpoint covers; 0 before the first. */
  readonly size: number
  /** The newest checkpoint; undefined before the first. */
  readonly head: StoredCheckpoint | undefined
  /** The checkpoint to begin with; undefined for the beginning of the log. */
  readonly since: StoredCheckpoint | undefined
}

/**
 * @param since the number of the checkpoint to begin with; 0 for the beginning of the log
 * @throws AuditError `AUDIT_NOT_SEALED` where there is no such checkpoint
 */
export async function readSealedLog(log: ReaderLog, since: number): Promise<SealedLog> {
  const position = await readKnownPosition(log)
  const head = await readHead(log, position.log)
  const first = since === 0 ? undefined : await readCheckpoint(log, position.log, since)
  if (since !== 0 && !first) {
    throw new AuditError(
      'AUDIT_NOT_SEALED',
      `The audit log ${quoteTable(log.table)} has no checkpoint ${since} to begin with, so nothing was verified.`,
    )
  }
  return { ...log, position, size: head?.size ?? 0, head, since: first }
}
