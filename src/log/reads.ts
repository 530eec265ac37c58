import type { Call } from './call.ts'
import type { Log } from './log.ts'

/** A read that is to be recorded. */
export interface RecordedRead {
  /** The call's arguments, with the keys selected that the entries name. */
  readonly args: unknown
  /** Records what was read; gives the result as the call without an audit would. */
  finish(result: unknown): Promise<unknown>
}

/** @returns undefined when the call reads nothing whose reads are recorded */
export async function prepareRead(_log: Log, _call: Call): Promise<RecordedRead | undefined> {
  return undefined
}
