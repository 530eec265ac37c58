import type { AttributedContext } from '../current-context.ts'

/** One call of the client, as the query hook sees it. */
export interface Call {
  /** The model's name in the schema; undefined for a raw statement. */
  readonly model: string | undefined
  readonly operation: string
  readonly args: unknown
  /** Of which kind the transaction is that the call runs in, if any. */
  readonly transaction: 'itx' | 'batch' | undefined
  readonly context: AttributedContext
}
