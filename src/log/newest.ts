import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import { likePattern } from './action-pattern.ts'
import type { NewestSteps } from './log-spans.ts'
import type { QueryParameters } from './query-parameters.ts'

/** What the function of a partitioned log answers: the newest entries that have something in common. */
export interface NewestQuestion {
  readonly by: 'record' | 'actor' | 'action' | 'organization'
  /** The value; for a record its type and id. */
  readonly key: readonly string[]
  /** Whether reads of several records count that gave the record. */
  readonly withReads?: boolean
  /** At least one of these, where `*` is for any characters. */
  readonly actions?: readonly string[] | undefined
  readonly outcome?: string | undefined
  readonly actor?: string | undefined
  readonly organization?: string | undefined
  /** Inclusive, ISO 8601. */
  readonly from?: string | undefined
  /** Exclusive, ISO 8601. */
  readonly to?: string | undefined
  /** Only entries before this place. */
  readonly before?: { readonly at: string; readonly seq: bigint } | undefined
  readonly count: number
}

/** What to select the answer from: it has the columns of the log, in order, and needs an alias. */
export function newestCall(
  table: TableName,
  { between, readsFrom }: NewestSteps,
  question: NewestQuestion,
  parameters: QueryParameters,
): string {
  const { by, key, actions, outcome, actor, organization, from, to, before, count } = question
  const moment = (milliseconds: number) =>
    Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString() : '-infinity'
  const edges = [to ?? 'infinity', ...between.map(moment), from ?? '-infinity']
  const given = [
    parameters.add(by, 'text'),
    parameters.add(key, 'text[]'),
    parameters.add(actions?.map(likePattern) ?? null, 'text[]'),
    ...[outcome, actor, organization].map((value) => parameters.add(value ?? null, 'text')),
    `${parameters.add(edges, 'text[]')}::timestamptz[]`,
    parameters.add(question.withReads ? moment(readsFrom) : 'infinity', 'timestamptz'),
    parameters.add(before?.at ?? 'infinity', 'timestamptz'),
    parameters.add(before?.seq ?? 0n, 'int8'),
    parameters.add(count, 'int8'),
  ]
  return `${quoteTable({ ...table, name: `${table.name}_newest` })}(${given.join(', ')})`
}
