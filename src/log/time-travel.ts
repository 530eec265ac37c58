import type { Log } from './log.ts'

/** The part of `$audit` that gives a record as it was, and undoes a change. */
export interface TimeTravel<Client> {
  readonly __client?: Client
}

export function createTimeTravel<Client>(_log: Log): TimeTravel<Client> {
  return {}
}
