/** How triggers record a table, as `audit_logs_watch` set it up. */
export interface Watch {
  /** The table's name among the settings of a session. */
  readonly key: string
  /** Changes to its rows are recorded, whoever makes them. */
  readonly isRecording: boolean
  /** Some of the triggers that record its rows are missing or disabled: of these changes nobody knows who records them. */
  readonly isIncomplete: boolean
  /** What the trigger before each statement notes, for `audit_logs_context` to compare; empty without one. */
  readonly fingerprint: string
  /** How it is recorded; undefined when the table itself is not, or when it is no longer known. */
  readonly definition: WatchDefinition | undefined
  /** The table was changed since, so the triggers have to look its columns up. */
  readonly isOutdated: boolean
}

export interface WatchDefinition {
  readonly resource: string
  readonly snapshot: 'full' | 'changed'
  /** Columns by number. */
  readonly redact: readonly number[]
  readonly ignore: readonly number[]
  /** How many columns the table had, including dropped ones: those with a higher number were added since. */
  readonly columns: number
  /** Stands for the names and types of the columns that the triggers spell out. */
  readonly shape: string
  /** How many triggers record its rows. */
  readonly triggers: number
  /** The quoted table of the log. */
  readonly log: string
}

/** What the catalog query returns for a table. */
export interface RawWatch {
  key: string
  /** As {@link WatchDefinition.shape}, of the table as it is now. */
  shape: string | null
  /** How many triggers that record its rows fire in this session. */
  triggers: number
  /** The argument of the trigger before each statement. */
  noted: string | null
  /** What stands in its place for the tables below, where somebody disabled the triggers of this one. */
  reach: string | null
}

/** @see prisma/functions/statement_begins.sql for the parts of the argument */
export function watchOf({ key, shape, triggers, noted, reach }: RawWatch): Watch {
  const [, fingerprint = '', resource = '', ...rest] = noted?.split(' ') ?? []
  const options = rest.join(' ')
  const definition: WatchDefinition | undefined =
    options === '' ? undefined : { ...(JSON.parse(options) as Omit<WatchDefinition, 'resource'>), resource }
  return {
    key,
    isRecording: triggers > 0,
    isIncomplete: definition !== undefined && triggers > 0 && triggers < definition.triggers,
    fingerprint: `${fingerprint}${reach ?? ''}`,
    definition,
    isOutdated: definition !== undefined && definition.shape !== shape,
  }
}
