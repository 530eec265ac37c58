import { AsyncLocalStorage } from 'node:async_hooks'
import type { DataModel } from '../models/data-model.ts'
import type { ResolvedOptions } from '../options.ts'
import type { AdapterLike } from '../postgres/connection.ts'
import type { Attribution } from './rewrite/entry.ts'

/** What `withAudit` made of a client: one for each wrapping. */
export interface Auditor {
  readonly options: ResolvedOptions
  readonly dataModel: DataModel
}

/** One call of the client: opened by the query hook, seen by the tap when the call's statements come through. */
export interface CaptureScope {
  readonly auditor: Auditor
  readonly context: Attribution['context']
  /** Whether a context or an option named the actor, or only the default did. */
  readonly hasActor: boolean
  /** The Prisma operations that run in this scope: one, or all of a `$transaction([…])`. */
  readonly operations: string[]
  /** The entry that the call undoes, if it undoes one. */
  readonly revertOf: string | undefined
  /** An error of ours, which Prisma wraps in one of its own on its way up. */
  error?: unknown
  /** Whether the statement that failed was to write; undefined when none failed, or before anybody could tell. */
  failedToWrite?: boolean
}

/** A question to the tap instead of the database: does this client go through you? */
export interface ProbeScope {
  answer: AdapterLike | undefined
}

const scopes = new AsyncLocalStorage<CaptureScope | { probe: ProbeScope }>()

export function runInScope<T>(scope: CaptureScope, work: () => Promise<T>): Promise<T> {
  return scopes.run(scope, work)
}

export function runAsProbe<T>(probe: ProbeScope, work: () => Promise<T>): Promise<T> {
  return scopes.run({ probe }, work)
}

export function currentScope(): CaptureScope | { probe: ProbeScope } | undefined {
  return scopes.getStore()
}

/** Runs without a scope: for statements of our own. */
export function runOutsideScope<T>(work: () => Promise<T>): Promise<T> {
  return scopes.exit(work)
}

/** The operation behind a statement: known when all of the scope's are the same. */
export function operationOf(scope: CaptureScope): string | undefined {
  const [first, ...others] = scope.operations
  return others.every((other) => other === first) ? first : undefined
}
