import type { Table } from '../postgres/catalog.ts'
import { renumber } from './parse/parameters.ts'
import type { WriteStatement } from './parse/statement.ts'
import type { AuditedPlan, StatementFacts } from './plan.ts'
import { concernsTriggers, type Recording, tablesOf } from './recording.ts'
import { lacksPrivilege } from './rewrite/access.ts'
import type { RewriteInput } from './rewrite/audited-statement.ts'
import { causeOf, claimOf, contextCall, unwatchedGuard } from './rewrite/context-call.ts'
import { EntryParameters } from './rewrite/entry-parameters.ts'
import { noteEntry } from './rewrite/raw-entry.ts'
import { findRecorder } from './rewrite/recorder.ts'
import type { Reach } from './rewrite/referential-actions.ts'
import { rewrite } from './rewrite/rewrite.ts'

export interface AuditedInput
  extends Pick<RewriteInput, 'tracked' | 'reach' | 'wholeReach' | 'isLockless' | 'isIncomplete'> {
  /** Without its values. */
  readonly statementText: string
}

/** The statement records what it changes. */
export function auditedPlan(
  recording: Recording,
  statement: WriteStatement,
  { want, parameterCount, shape }: StatementFacts,
  { statementText, ...rest }: AuditedInput,
): AuditedPlan {
  recording.requireLog()
  const { catalog, functions, qualifiedLog } = recording
  const parameters = new EntryParameters(shape, parameterCount, want === 'rows', catalog.server.makesUuidv7)
  const later = new EntryParameters(shape, 0)
  const { tracked, reach, wholeReach = reach } = rest
  const tables = tablesOf(statement, tracked.table)
  const below = recordedBelow(recording, wholeReach)
  const { lock, readLater, ...rewritten } = rewrite(statement, {
    ...rest,
    want,
    guard: concernsTriggers(tables)
      ? contextCall(functions, tables, parameters, causeOf(statement, tracked))
      : unwatchedGuard(functions, tracked.table),
    claim: below.length > 0 ? claimOf(below) : undefined,
    catalog,
    track: (table) => recording.track(table),
    lockedRows: `(SELECT $${parameterCount + 1}::pg_catalog.text)`,
    entry: parameters,
    later,
    note: (reason, entry) => noteEntry(statementText, reason, entry),
    // a transaction may have another search_path
    log: qualifiedLog,
    recorder: findRecorder(catalog, qualifiedLog),
  })
  return {
    kind: 'audited',
    parameters,
    lacksPrivilege: lacksPrivilege(statement, tracked.table, wholeReach),
    ...rewritten,
    ...(lock && {
      lock: {
        rows: renumber(lock.rows),
        ...(lock.reached !== undefined && { reached: renumber(lock.reached) }),
        isDeep: lock.isDeep,
        ...(lock.ask !== undefined && { ask: renumber(lock.ask) }),
      },
    }),
    ...(readLater !== undefined && { readLater: { sql: readLater, parameters: later } }),
  }
}

/** The tables that a statement records itself where its referential actions change them. */
function recordedBelow(recording: Recording, reach: Reach | undefined): Table[] {
  const reached = new Set(reach?.edges.map(({ key }) => key.child))
  return [...reached].filter((table) => recording.track(table).isTracked)
}
