import { AsyncLocalStorage } from 'node:async_hooks'
import { type Attribution, currentContext } from '../attribution.ts'
import { revertedEntry } from '../context/reverting.ts'
import { onePerVersion } from '../one-per-process.ts'
import type { AdapterLike } from '../postgres/connection.ts'
import type { CaptureConfiguration } from './configuration.ts'

/** One call of the client: opened by the query hook, seen by the tap when the call's statements pass through. */
export interface CaptureScope {
  readonly kind: 'capture'
  readonly configuration: CaptureConfiguration
  readonly context: Attribution['context']
  /** Whether a context or an option named the actor, rather than the default. */
  readonly hasActor: boolean
  /** The Prisma operations that run in this scope: one, or all of a `$transaction([…])`. */
  readonly operations: Operation[]
  /** The entry that the call undoes, if any. */
  readonly revertOf: string | undefined
  /** Asks for no statement, but whether all tables could be written to. */
  readonly verifies?: true
  /** An error of ours, which Prisma wraps in its own on the way to the caller. */
  error?: unknown
  /** Whether the failed statement was a write; undefined when none failed, or it failed before that was known. */
  failedToWrite?: boolean
}

/** A Prisma operation. */
export interface Operation {
  /** `update`, `$executeRaw` */
  readonly name: string
  /** The text of a raw statement, as it reaches the tap; empty where it is not known. */
  readonly sql: string | undefined
}

/** A question to the tap, not to the database: does this client go through you? */
export interface ProbeScope {
  readonly kind: 'probe'
  answer: AdapterLike | undefined
}

/** What the tap does with a statement. Without a scope, it passes the statement through. */
export type Scope = CaptureScope | ProbeScope

const scopes = onePerVersion('scopes', () => new AsyncLocalStorage<Scope>())

/** A scope for the running code: who acts and from where is decided now. The caller adds the operations. */
export function openScope(configuration: CaptureConfiguration): CaptureScope {
  const who = currentContext(configuration.options)
  return { kind: 'capture', configuration, ...who, operations: [], revertOf: revertedEntry() }
}

export function runInScope<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
  return scopes.run(scope, work)
}

export function currentScope(): Scope | undefined {
  return scopes.getStore()
}

/** Runs without a scope: for our own statements. */
export function runOutsideScope<T>(work: () => Promise<T>): Promise<T> {
  return scopes.exit(work)
}

/**
 * The operation behind a writing statement, known when all operations of the scope that can be behind it are the same. A raw
 * statement comes as it was given, with a comment behind it at most; every other one comes from an operation that is not raw.
 */
export function operationOf({ operations }: CaptureScope, sql: string): string | undefined {
  if (operations.length === 1) return operations[0]?.name
  const isGiven = operations.some((one) => one.sql && sql.startsWith(one.sql))
  const [first, ...others] = operations.filter(
    (one) =>
      one.sql === '' ||
      (isGiven
        ? one.sql !== undefined && sql.startsWith(one.sql)
        : one.sql === undefined && !readsOnly.test(one.name)),
  )
  return others.every(({ name }) => name === first?.name) ? first?.name : undefined
}

const readsOnly = /^(find|count$|aggregate$|groupBy$)/
