/** How a table is recorded by triggers, as `audit_logs_watch` left it. */
export interface Watch {
  /** What the table is called among the settings of a session. */
  readonly key: string
  /** Changes of its rows are recorded, whoever makes them. */
  readonly isRecording: boolean
  /** What the trigger before each statement notes, for `audit_logs_context` to compare; empty without one. */
  readonly fingerprint: string
  /** How it is recorded; undefined where the table itself is not, or nobody knows any more. */
  readonly definition: WatchDefinition | undefined
  /** The table was changed since, so the triggers have to look its columns up. */
  readonly isOutdated: boolean
}

export interface WatchDefinition {
  readonly resource: string
  readonly snapshot: 'full' | 'changed'
  /** Columns by their numbers. */
  readonly redact: readonly number[]
  readonly ignore: readonly number[]
  /** How many columns the table had, dropped ones too: those with a higher number came since. */
  readonly columns: number
  /** Stands for the names and types of the columns that the triggers spell out. */
  readonly shape: string
  /** The quoted table of the log. */
  readonly log: string
}

/** What the catalog query gives of a table. */
export interface RawWatch {
  key: string
  /** As {@link WatchDefinition.shape}, of the table as it is now. */
  shape: string | null
  watched: boolean
  /** The argument of the trigger before each statement. */
  noted: string | null
  /** What stands in its place for the tables below, where somebody disabled the triggers of this one. */
  reach: string | null
}

/** @see prisma/functions/statement_begins.sql for the parts of the argument */
export function watchOf({ key, shape, watched, noted, reach }: RawWatch): Watch {
  const [, fingerprint = '', resource = '', ...rest] = noted?.split(' ') ?? []
  const options = rest.join(' ')
  const definition: WatchDefinition | undefined =
    options === '' ? undefined : { ...(JSON.parse(options) as Omit<WatchDefinition, 'resource'>), resource }
  return {
    key,
    isRecording: watched,
    fingerprint: `${fingerprint}${reach ?? ''}`,
    definition,
    isOutdated: definition !== undefined && definition.shape !== shape,
  }
}
