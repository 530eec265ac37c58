import { findTable } from '../postgres/catalog.ts'
import { auditedPlan } from './audited-plan.ts'
import { narrowingPlan } from './narrowing-plan.ts'
import { conflictKey } from './parse/conflict.ts'
import { countParameters } from './parse/parameters.ts'
import { type PlainStatement, readPlain } from './parse/plain.ts'
import type { PlainWrite } from './parse/statement.ts'
import { parseSql, type Syntax } from './parse/syntax.ts'
import { transactionParts } from './parse/transaction-parts.ts'
import { classify, mayWrite, type UncapturableReason } from './parse/uncapturable.ts'
import { withoutValues } from './parse/without-values.ts'
import { writtenTables } from './parse/written-tables.ts'
import type { CarriedPlan, ContextStatement, Plan, StatementFacts } from './plan.ts'
import { concernsTriggers, type Recording, tablesOf } from './recording.ts'
import { restrictionOf } from './rewrite/access.ts'
import { carryContext } from './rewrite/carry-context.ts'
import { causeOf, contextCall } from './rewrite/context-call.ts'
import { EntryParameters, type EntryShape } from './rewrite/entry-parameters.ts'
import { rawEntry } from './rewrite/raw-entry.ts'
import type { Tables } from './rewrite/referential-actions.ts'
import { hurdleTo } from './rewrite/rewrite.ts'
import type { TrackedTable } from './rewrite/tracked-table.ts'

const pass: Plan = { kind: 'pass' }

/**
 * What to do with a statement.
 *
 * @throws NotRead
 * @throws ParserNeeded
 */
export function planOf(recording: Recording, text: string, facts: StatementFacts): Plan {
  if (/^[\s;]*$/.test(text)) return pass // an empty statement, which PostgreSQL accepts
  const plain = readPlain(text)
  const withoutParser = plain && planWithoutParser(recording, plain, facts)
  if (withoutParser) return withoutParser
  const { want, parameterCount, shape, written } = facts
  const syntax = parseSql(text)
  const asText = (reason: UncapturableReason) => uncapturable(recording, reason, syntax, text, shape)
  const classified = classify(syntax, recording.catalog, written)
  if (classified.kind === 'read') return pass
  if (classified.kind === 'uncapturable') return asText(classified.reason)
  const { statement, table, obstacle } = classified
  // a statement with too few arguments must fail as usual, not find ours in their place
  if (countParameters(syntax) !== parameterCount) return { kind: 'pass', writes: true }
  const tracked = recording.trackAgreed(statement, table)
  const reach = recording.trackedReach(statement, table)
  if (!tracked.isTracked && !reach) {
    return obstacle === 'rule' && concernsTriggers(tablesOf(statement, table))
      ? asText(obstacle)
      : recordedElsewhere(recording, statement, tracked, facts, obstacle === 'cursor')
  }
  if (obstacle) return asText(obstacle)
  const hurdle = hurdleTo(statement, tracked, reach, want, recording.catalog.server)
  if (hurdle) return asText(hurdle)
  if (statement.kind === 'upsert' && reach && !conflictKey(statement.conflict, table))
    return asText('upsert-without-values')
  const input = { tracked, reach, statementText: withoutValues(text) }
  const plan = narrowingPlan(statement, input, (narrowed) =>
    auditedPlan(recording, statement, facts, narrowed),
  )
  const restriction = restrictionOf(statement, table, reach)
  if (!restriction) return plan
  const { ask, records, isLockless } = restriction
  const otherwise =
    records === 'nothing'
      ? asText('row-security')
      : records === 'rows'
        ? plan
        : auditedPlan(recording, statement, facts, { ...input, isLockless, isIncomplete: true })
  return { ...plan, restricted: { ask, plan: otherwise, isIncomplete: records !== 'rows' } }
}

/** The plan of a statement that only reads, or whose changes triggers record; undefined for any other. */
function planWithoutParser(
  recording: Recording,
  { write, parameterCount }: PlainStatement,
  facts: StatementFacts,
): Plan | undefined {
  if (!write) return pass
  const table = findTable(recording.catalog, write.table)
  if (!table || table.rules || parameterCount !== facts.parameterCount) return undefined
  const tracked = recording.trackAgreed(write, table)
  if (tracked.isTracked || recording.trackedReach(write, table)) return undefined
  return recordedElsewhere(recording, write, tracked, facts)
}

/** The plan of a statement on a table that triggers record, or nobody. */
function recordedElsewhere(
  recording: Recording,
  statement: PlainWrite,
  tracked: TrackedTable,
  facts: StatementFacts,
  isCursor = false,
): Plan {
  const tables = tablesOf(statement, tracked.table)
  // a write to the log that fails is an attempt worth an entry
  if (!concernsTriggers(tables)) return tracked.isLog ? { kind: 'pass', writes: true } : pass
  return carried(recording, statement, tracked, tables, isCursor, facts)
}

/** The plan of a statement that its role may run, but not return all of: its text is recorded. */
export function textOnlyPlan(recording: Recording, sql: string, shape: EntryShape): Plan {
  return uncapturable(recording, 'privilege', parseSql(sql), sql, shape)
}

/** Triggers record all that the statement changes. */
function carried(
  recording: Recording,
  statement: PlainWrite,
  tracked: TrackedTable,
  tables: Tables,
  isCursor: boolean,
  { shape, parameterCount }: StatementFacts,
): CarriedPlan {
  recording.requireLog()
  const parameters = new EntryParameters(shape, parameterCount)
  const call = contextCall(recording.functions, tables, parameters, causeOf(statement, tracked))
  const isInsert = statement.kind === 'insert' || statement.kind === 'upsert'
  return {
    kind: 'carried',
    ...carryContext(statement, call, isCursor),
    parameters,
    ahead: isInsert && tracked.table.beforeInsert ? contextAhead(recording, shape) : undefined,
  }
}

function contextAhead({ functions }: Recording, shape: EntryShape): ContextStatement {
  const parameters = new EntryParameters(shape, 0)
  return { sql: `SELECT ${functions.nextContext}(${parameters.reference('contextText')})`, parameters }
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
    parts: transactionParts(syntax, text, (statement) => mayWrite(statement, recording.catalog)),
    entry: isRecorded ? undefined : rawEntry(reason, recording.qualifiedLog, shape),
    ahead: hasTriggers ? contextAhead(recording, shape) : undefined,
  }
}
