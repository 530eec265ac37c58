import type { AttributedContext } from '../attribution.ts'
import type { SqlClient } from '../postgres/sql-client.ts'

/** One call of the client, as the query hook sees it. */
export interface Call {
  /** The model's name in the schema; undefined for a raw statement. */
  readonly model: string | undefined
  readonly operation: string
  readonly args: unknown
  /**
   * The relations from the record that was asked for to the result: `['posts']` in `user.findUnique({ … }).posts()`.
   */
  readonly path: readonly string[]
  /** The kind of transaction that the call runs in, if any. */
  readonly transaction: 'itx' | 'batch' | undefined
  /** The same object for all calls of one `$transaction([…])`. */
  readonly batch: object | undefined
  /** Where the call itself runs: its interactive transaction, or the pool. */
  readonly connection: SqlClient
  readonly context: AttributedContext
  /** Whether a context or an option named the actor, rather than the default. */
  readonly hasActor: boolean
  readonly shape: ResultShape
}

/** What decides, besides the arguments, which fields a result has: the client's own options and extensions. */
export interface ResultShape {
  /** The client's option `omit` for a model. */
  omitted(model: string): Readonly<Record<string, boolean | undefined>>
  /** The fields that `$extends({ result })` computes for a model, and from which ones. */
  computed(model: string): readonly ComputedField[]
}

export interface ComputedField {
  readonly name: string
  readonly needs: readonly string[]
}
