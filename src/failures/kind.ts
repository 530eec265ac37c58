import { AuditError } from '../errors.ts'
import { sqlStateOf } from '../postgres/sql-state.ts'

/** An error as Prisma and its driver adapters make them. */
export interface PrismaErrorLike {
  readonly name: string
  readonly message: string
  /** Prisma's `P2002`, or the code of whatever made the error. */
  readonly code?: string
  readonly clientVersion?: string
}

/** Errors of ours that a running statement led to; all our others refuse before anything is sent. */
const metOnTheWay: readonly string[] = ['AUDIT_SCHEMA_CHANGED', 'AUDIT_CONTENDED']

/**
 * Whether an error came from the database or the connection to it. Prisma's validation errors did not, nor did what
 * another extension throws: Prisma puts its `clientVersion` on every error that passes through it.
 */
export function reachedDatabase(error: unknown): error is PrismaErrorLike {
  if (error instanceof AuditError) return metOnTheWay.includes(error.code)
  return (
    error instanceof Error &&
    error.name !== 'PrismaClientValidationError' &&
    typeof (error as Partial<PrismaErrorLike>).clientVersion === 'string'
  )
}

/** Prisma's codes for too many connections and for a time-out while waiting for one. */
const noConnection: readonly string[] = ['P2024', 'P2037']

/**
 * Whether the database can't be reached, or has no connection left: trying at once would only double the caller's wait.
 * `P1…` are Prisma's codes for that. An adapter's own errors have none of Prisma's names.
 */
export function isUnreachable(error: PrismaErrorLike): boolean {
  if (error instanceof AuditError || sqlStateOf(error) !== undefined) return false
  if (error.code?.startsWith('P1') || noConnection.includes(error.code ?? '')) return true
  return error.name === 'PrismaClientInitializationError' || !/^Prisma|^DriverAdapter/.test(error.name)
}
