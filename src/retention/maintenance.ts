import type { OwnedLog } from './owned-log.ts'

/** For how many months after the present one there are partitions: `maintain` may fail to run for long. */
export const monthsAhead = 12

/** How a log is maintained. */
export interface MaintenanceOptions {
  /** Say what would be done, and do nothing. */
  readonly isDryRun: boolean
  /** For how many months after the present one there are to be partitions. */
  readonly monthsAhead: number
  /** From when on there are to be partitions, ISO 8601; by default from the present month on. */
  readonly since?: string | undefined
}

/** Something that was done, or would be. */
export interface MaintenanceAction {
  readonly action: 'create partition' | 'protect partition'
  /** The name of a partition; in a dry run the month of one that is not there yet. */
  readonly subject: string
}

/** What is to be done for a log from time to time. It may be ended at any point, and is done again. */
export type MaintenanceStep = (log: OwnedLog, options: MaintenanceOptions) => Promise<MaintenanceAction[]>
