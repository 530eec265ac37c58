import type { Log } from './log.ts'

/** The part of `$audit` that answers questions. */
export interface Searching<Client> {
  readonly __client?: Client
}

export function createSearching<Client>(_log: Log): Searching<Client> {
  return {}
}
