import { conflictKey } from './parse/conflict.ts'
import { countParameters, renumber } from './parse/parameters.ts'
import type { WriteStatement } from './parse/statement.ts'
import { parseSql, type Syntax } from './parse/syntax.ts'
import { classify, type UncapturableReason } from './parse/uncapturable.ts'
import { withoutValues } from './parse/without-values.ts'
import { writtenTables } from './parse/written-tables.ts'
import type { AuditedPlan, CarriedPlan, ContextStatement, Plan } from './plan.ts'
import { concernsTriggers, type Recording } from './recording.ts'
import { lacksPrivilege, restrictionOf } from './rewrite/access.ts'
import type { RewriteInput, Want } from './rewrite/audited-statement.ts'
import { carryContext } from './rewrite/carry-context.ts'
import { contextCall, unwatchedGuard } from './rewrite/context-call.ts'
import { EntryParameters, type EntryShape } from './rewrite/entry-parameters.ts'
import { noteEntry, rawEntry } from './rewrite/raw-entry.ts'
import { findRecorder } from './rewrite/recorder.ts'
import { hurdleTo, rewrite } from './rewrite/rewrite.ts'
import type { TrackedTable } from './rewrite/tracked-table.ts'

/** What there is to know of a statement beside its text. */
export interface StatementFacts {
  readonly want: Want
  readonly parameterCount: number
  readonly shape: EntryShape
  /** The table that it writes to, if its name alone does not say: its oid. */
  readonly written: number | undefined
}

const pass: Plan = { kind: 'pass' }

/**
 * What to do with a statement.
 *
 * @throws NotRead
 */
export function planOf(recording: Recording, text: string, facts: StatementFacts): Plan {
  if (/^[\s;]*$/.test(text)) return pass // an empty statement, which PostgreSQL accepts
  const { want, parameterCount, shape, written } = facts
  const syntax = parseSql(text)
  const asText = (reason: UncapturableReason) => uncapturable(recording, reason, syntax, text, shape)
  const classified = classify(syntax, recording.catalog, written)
  if (classified.kind === 'read') return pass
  if (classified.kind === 'uncapturable') return asText(classified.reason)
  const { statement, table, obstacle } = classified
  // a statement with too few arguments must fail as usual, not find ours in their place
  if (countParameters(syntax) !== parameterCount) return { kind: 'pass', writes: true }
  const tracked = recording.trackAgreed(table)
  const reach = recording.trackedReach(statement, table)
  if (!tracked.isTracked && !reach) {
    if (!table.watch.isRecording && !concernsTriggers(statement, table)) {
      // a write to the log that fails is an attempt worth an entry
      return tracked.isLog ? { kind: 'pass', writes: true } : pass
    }
    // a rule makes other statements of this one, which may not take one more expression
    if (obstacle === 'rule') return asText(obstacle)
    return carried(recording, statement, tracked, obstacle === 'cursor', facts)
  }
  if (obstacle) return asText(obstacle)
  const hurdle = hurdleTo(statement, tracked, reach, want, recording.catalog.server)
  if (hurdle) return asText(hurdle)
  if (statement.kind === 'upsert' && reach && !conflictKey(statement.conflict, table))
    return asText('upsert-without-values')
  const input = { tracked, reach, statementText: withoutValues(text) }
  const plan = audited(recording, statement, facts, input)
  const restriction = restrictionOf(statement, table, reach)
  if (!restriction) return plan
  const { ask, records, isLockless } = restriction
  const otherwise =
    records === 'nothing'
      ? asText('row-security')
      : records === 'rows'
        ? plan
        : audited(recording, statement, facts, { ...input, isLockless, isIncomplete: true })
  return { ...plan, restricted: { ask, plan: otherwise, isIncomplete: records !== 'rows' } }
}

/** The plan of a statement that its role may run, but not return all of: its text is recorded. */
export function textOnlyPlan(recording: Recording, sql: string, shape: EntryShape): Plan {
  return uncapturable(recording, 'privilege', parseSql(sql), sql, shape)
}

/** Triggers record all that the statement changes. */
function carried(
  recording: Recording,
  statement: WriteStatement,
  tracked: TrackedTable,
  isCursor: boolean,
  { shape, parameterCount }: StatementFacts,
): CarriedPlan {
  recording.requireLog()
  const { table } = tracked
  const parameters = new EntryParameters(shape, parameterCount)
  const call = contextCall(recording.functions, table, parameters, causeOf(statement, tracked))
  const isInsert = statement.kind === 'insert' || statement.kind === 'upsert'
  return {
    kind: 'carried',
    ...carryContext(statement, call, isCursor),
    parameters,
    ahead: isInsert && table.beforeInsert ? contextAhead(recording, shape) : undefined,
  }
}

function contextAhead({ functions }: Recording, shape: EntryShape): ContextStatement {
  const parameters = new EntryParameters(shape, 0)
  return { sql: `SELECT ${functions.nextContext}(${parameters.reference('contextText')})`, parameters }
}

/** The statement records what it changes. */
function audited(
  recording: Recording,
  statement: WriteStatement,
  { want, parameterCount, shape, written }: StatementFacts,
  {
    statementText,
    ...rest
  }: Pick<RewriteInput, 'tracked' | 'reach' | 'isLockless' | 'isIncomplete'> & {
    readonly statementText: string
  },
): AuditedPlan {
  recording.requireLog()
  const { catalog, functions, qualifiedLog } = recording
  const log = recording.options.table
  // the statement's names depend on the session, and perhaps the log's as well
  const isOfSession = written !== undefined
  const parameters = new EntryParameters(shape, parameterCount, want === 'rows', catalog.server.makesUuidv7)
  const later = new EntryParameters(shape, 0)
  const { tracked, reach } = rest
  const { lock, readLater, ...rewritten } = rewrite(statement, {
    ...rest,
    want,
    guard: concernsTriggers(statement, tracked.table)
      ? contextCall(functions, tracked.table, parameters, causeOf(statement, tracked))
      : unwatchedGuard(functions, tracked.table),
    catalog,
    track: (table) => recording.track(table),
    lockedRows: `$${parameterCount + 1}::pg_catalog.text`,
    entry: parameters,
    later,
    note: (reason, entry) => noteEntry(statementText, reason, entry),
    log: isOfSession ? qualifiedLog : log,
    // the log's function has its table's name as the migration spells it
    recorder: isOfSession ? undefined : findRecorder(catalog, log),
  })
  return {
    kind: 'audited',
    parameters,
    lacksPrivilege: lacksPrivilege(statement, tracked.table, reach),
    ...rewritten,
    ...(lock && {
      lock: {
        rows: renumber(lock.rows),
        ...(lock.reached !== undefined && { reached: renumber(lock.reached) }),
        isDeep: lock.isDeep,
      },
    }),
    ...(readLater !== undefined && { readLater: { sql: readLater, parameters: later } }),
  }
}

/** Its text is recorded, unless triggers record all that it can write to. */
function uncapturable(
  recording: Recording,
  reason: UncapturableReason,
  syntax: Syntax | undefined,
  text: string,
  shape: EntryShape,
): Plan {
  const named = syntax && writtenTables(syntax)
  // a view and a rule write to tables that the text does not name
  const leadsElsewhere = reason === 'not-a-table' || reason === 'rule'
  const isDefinition = reason === 'definition' || reason === 'select-into' || reason === 'unknown-table'
  const isRecorded =
    !isDefinition &&
    (named && !leadsElsewhere ? named.every((name) => recording.isRecorded(name)) : recording.recordsAll)
  const { hasTriggers } = recording
  if (isRecorded && !hasTriggers) return { kind: 'pass', writes: true }
  recording.requireLog()
  return {
    kind: 'uncapturable',
    reason,
    statement: withoutValues(text),
    entry: isRecorded ? undefined : rawEntry(reason, recording.qualifiedLog, shape),
    ahead: hasTriggers ? contextAhead(recording, shape) : undefined,
  }
}

/** What referential actions of a statement have as their cause, if no trigger says so. */
function causeOf(statement: WriteStatement, tracked: TrackedTable): string | undefined {
  if (tracked.table.watch.isRecording || statement.kind === 'insert') return undefined
  return tracked.action(statement.kind === 'delete' ? 'delete' : 'update')
}
