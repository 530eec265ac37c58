import type { AuditEntry } from './entry.ts'
import type { Log } from './log.ts'

/** The part of `$audit` that records what is not a change of data. */
export interface Recording {
  /** Waits until every queued entry is written, or was given to `onError`. */
  flush(): Promise<void>
}

export function createRecording(log: Log): Recording {
  return { flush: () => log.flush() }
}

export type { AuditEntry }
