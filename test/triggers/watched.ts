import pg from 'pg'
import { afterAll } from 'vitest'
import { createDatabase, type Entry } from '../support/database.ts'

/** A database with tables that triggers record, and plain connections to it that know nothing of an audit. */
export async function createWatched(setUp: string) {
  const db = await createDatabase()
  await db.sql(setUp)

  /** A connection of its own: as another role, or with other settings. It ends with the file's tests. */
  async function connect(config: pg.ClientConfig = {}): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: db.url, ...config })
    client.on('error', () => {}) // dropping the database ends it
    await client.connect()
    afterAll(() => client.end().catch(() => {}))
    return client
  }

  const watch = async (table: string, resource: string, options: object = {}) => {
    const [row] = await db.sql<{ renewed: boolean }>('SELECT audit_logs_watch($1, $2, $3) AS renewed', [
      table,
      resource,
      JSON.stringify(options),
    ])
    return row?.renewed
  }

  const unwatch = async (table: string) => {
    const [row] = await db.sql<{ removed: boolean }>('SELECT audit_logs_unwatch($1) AS removed', [table])
    return row?.removed
  }

  /** Every entry that was written while `work` ran, whoever did it. */
  const entriesOf = async (work: () => PromiseLike<unknown>): Promise<Entry[]> => {
    const since = await db.lastSeq()
    await work()
    return db.sql<Entry & pg.QueryResultRow>('SELECT * FROM audit_logs WHERE seq > $1 ORDER BY seq', [since])
  }

  /** What happened, row by row, while `work` ran. */
  const recordedBy = async (work: () => PromiseLike<unknown>): Promise<Recorded[]> =>
    (await entriesOf(work)).map(recorded)

  /** The same of SQL on the plain pool. */
  const recordedOf = (sql: string) => recordedBy(() => db.sql(sql))

  return { db, connect, watch, unwatch, entriesOf, recordedBy, recordedOf, version: await db.serverVersion() }
}

/** An entry without who made it: `action`, the resource's `id`, and the details. */
export interface Recorded {
  readonly action: string
  readonly id: string | null
  // biome-ignore lint/suspicious/noExplicitAny: details differ by action
  readonly [detail: string]: any
}

export function recorded({ action, resource_id: id, details: { source: _, ...details } }: Entry): Recorded {
  return { action, id, ...details }
}

/** Entries in a line each: `user.update 1 [name]`, `comment.delete 3 because user.delete`. */
export function brief(entries: readonly Recorded[]): string[] {
  return entries.map(({ action, id, changed, cause }) =>
    [
      action,
      id ?? '-',
      ...(changed ? [`[${changed.join(', ')}]`] : []),
      ...(cause ? [`because ${cause}`] : []),
    ].join(' '),
  )
}

/** Who made a change, as far as an entry says it. */
export function who({ details, ...entry }: Entry): object {
  const { before: _, after: __, changed: ___, ...said } = details
  const columns = [
    'actor_id',
    'actor_type',
    'actor_email',
    'reason',
    'request_id',
    'ip',
    'user_agent',
    'organization_id',
  ] as const
  return {
    ...Object.fromEntries(columns.flatMap((name) => (entry[name] === null ? [] : [[name, entry[name]]]))),
    ...said,
  }
}
