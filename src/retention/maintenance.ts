import type { ResolvedRetention } from '../retention-options.ts'
import type { OwnedLog } from './owned-log.ts'

/** For how many months after the present one there are partitions: `maintain` may fail to run for long. */
export const monthsAhead = 12

/** How a log is maintained. */
export interface MaintenanceOptions {
  /** Say what would be done, and do nothing. */
  readonly isDryRun: boolean
  /**
   * From when on there are to be partitions, ISO 8601, for entries from elsewhere: they are made, and nothing else is done. By
   * default there are those from the present month on.
   */
  readonly since?: string | undefined
  /** What leaves the table, and when. Asked again before each month: a hold that is set meanwhile holds what has not left. */
  readonly retention?: (() => Promise<ResolvedRetention | undefined>) | undefined
  /** Who has to have read a month before it is archived, besides those that have read on before: `sink:files`, `seal:log`. */
  readonly readers?: readonly string[]
  /** Told of each step. */
  readonly note?: (text: string) => void
  /** Ends it before its time. */
  readonly signal?: AbortSignal
}

/**
 * Something that was done, or would be. `wait for` says what is not done yet. `remove` and `leave` are about a file in the archive that an
 * attempt before has left there, and that is not part of it.
 */
export interface MaintenanceAction {
  readonly action:
    | 'create partition'
    | 'protect partition'
    | 'archive'
    | 'remove'
    | 'leave'
    | 'retire'
    | 'wait for'
  /** The name of a partition; in a dry run the month of one that is not there yet. Or the key of a file. */
  readonly subject: string
  /** How many entries it is about. */
  readonly entries?: number
  readonly why?: string
}

/** What is to be done for a log from time to time. It may be ended at any point, and is done again. */
export type MaintenanceStep = (log: OwnedLog, options: MaintenanceOptions) => Promise<MaintenanceAction[]>
