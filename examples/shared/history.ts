import pg from 'pg'

type Row = Readonly<Record<string, unknown>>

/** Who acted, and from where. */
export interface Who {
  readonly actor: {
    readonly id: string
    readonly type: 'user' | 'system' | 'api_key'
    readonly email?: string
  }
  readonly ip?: string
  readonly organizationId?: string
  readonly reason?: string
}

interface PastEvent {
  readonly resource: { readonly type: string; readonly id: string | null }
  readonly failure?: boolean
  readonly details?: object
}

const day = 86_400_000

/**
 * The weeks before an example was started, as its log would tell them. The log's `timestamp` is the database's clock, and no
 * entry can be changed later: what has passed can be written only by the owner of the table, before the application starts.
 */
export class History {
  readonly #entries: object[] = []
  readonly #rows = new Map<string, Row>()
  #transactions = 0
  #now: { at: number; who: Who } | undefined

  /** What happened in one transaction, so many days ago at a time of the day in UTC (`'09:30'`). */
  at(daysAgo: number, time: string, who: Who, work: () => void): void {
    const today = Math.floor(Date.now() / day) * day
    this.#now = { at: Date.parse(`1970-01-01T${time}Z`) + today - daysAgo * day, who }
    this.#transactions++
    work()
  }

  create(type: string, id: string, row: Row): void {
    this.#rows.set(`${type} ${id}`, row)
    this.event(`${type}.create`, { resource: { type, id }, details: { after: row } })
  }

  update(type: string, id: string, change: Row): void {
    const before = this.row(type, id)
    const after = { ...before, ...change }
    this.#rows.set(`${type} ${id}`, after)
    const changed = Object.keys(change).filter((field) => before[field] !== change[field])
    this.event(`${type}.update`, { resource: { type, id }, details: { before, after, changed } })
  }

  /** @param cause the change that this one followed from */
  delete(type: string, id: string, cause?: string): void {
    const before = this.row(type, id)
    this.#rows.delete(`${type} ${id}`)
    this.event(`${type}.delete`, { resource: { type, id }, details: { before, ...(cause && { cause }) } })
  }

  /** Anything else: a login, a read, an export, a link. */
  event(action: string, { resource, failure = false, details }: PastEvent): void {
    const { at, who } = this.#now as { at: number; who: Who }
    this.#entries.push({
      ...{ at: new Date(at + this.#entries.length).toISOString(), action, details: details ?? null },
      ...{ actor_id: who.actor.id, actor_type: who.actor.type, actor_email: who.actor.email },
      ...{ resource_type: resource.type, resource_id: resource.id, outcome: failure ? 'failure' : 'success' },
      ...{
        reason: who.reason,
        ip: who.ip,
        organization_id: who.organizationId,
        transaction: this.#transactions,
      },
    })
  }

  /** A record as it is by now. */
  row(type: string, id: string): Row {
    const row = this.#rows.get(`${type} ${id}`)
    if (row === undefined) throw new Error(`There is no ${type} ${id} at this time.`)
    return row
  }

  /** Writes it to the log of a database, as the owner of the log. */
  async write(url: string): Promise<void> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    // transactions get numbers below those that are still to come
    await client.query(
      `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, actor_email, resource_type, resource_id,
         outcome, reason, details, ip, organization_id, transaction_id)
       SELECT audit_logs_internal.uuidv7(), at, action, actor_id, actor_type, actor_email, resource_type, resource_id,
         outcome, reason, details, ip, organization_id, pg_current_xact_id()::text::bigint - $2 + transaction - 1
       FROM jsonb_to_recordset($1) AS e(at timestamptz, action text, actor_id text, actor_type text, actor_email text,
         resource_type text, resource_id text, outcome text, reason text, details jsonb, ip inet, organization_id text,
         transaction bigint)
       ORDER BY at`,
      [JSON.stringify(this.#entries), this.#transactions],
    )
    await client.end()
  }
}
