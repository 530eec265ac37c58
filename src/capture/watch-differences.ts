import { AuditError } from '../errors.ts'
import { type Catalog, type Column, findTable, type Table } from '../postgres/catalog.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import { writesTo } from '../postgres/watch.ts'
import type { TrackedTable } from './rewrite/tracked-table.ts'

/**
 * Where a table's triggers record it differently from what the client's options say, in words. Columns are not
 * compared, but for what both know of those that both know: two services may have different Prisma schemas.
 */
export function watchDifferences(tracked: TrackedTable, catalog: Catalog, log: TableName): string[] {
  const { table, model } = tracked
  const { isRecording, definition } = table.watch
  if (!isRecording || !definition || !tracked.isWanted || !model) return []
  const known = table.columns.filter(
    ({ number, name }) => number <= definition.columns && model.fields.has(name),
  )
  const listed = (what: 'redact' | 'ignore', isListed: (column: Column) => boolean) =>
    known.flatMap((column) => {
      const here = isListed(column)
      const there = definition[what].includes(column.number)
      return here === there ? [] : [`${what} ${column.name}: ${yesOrNo(here)} here, ${yesOrNo(there)} there`]
    })
  const differing = (what: string, here: string, there: string) =>
    here === there ? [] : [`${what}: ${here} here, ${there} there`]
  const logTable = findTable(catalog, log)
  return [
    ...differing('resource', tracked.resource, definition.resource),
    ...differing('snapshot', tracked.snapshot, definition.snapshot),
    ...listed('redact', (column) => tracked.isRedacted(column)),
    ...listed('ignore', (column) => tracked.isIgnored(column)),
    ...(logTable && !writesTo(definition, logTable)
      ? [`table: ${quoteTable(logTable)} here, ${definition.log} there`]
      : []),
  ]
}

/** @throws AuditError `AUDIT_OPTIONS_DIFFER` */
export function refuseDifferences(tracked: TrackedTable, differences: readonly string[]): void {
  if (differences.length === 0) return
  throw new AuditError(
    'AUDIT_OPTIONS_DIFFER',
    `The triggers of ${quoteTable(tracked.table)} record it differently from what the options of withAudit say (${differences.join('; ')}). Nothing was written. Put the options into audit.config.ts, pass them to withAudit, and run "npx prisma-extension-audit triggers", which writes a migration with what has changed.`,
  )
}

/** @throws AuditError `AUDIT_TRIGGERS_OUTDATED` where triggers record some kinds of change to a table, and others not */
export function refuseIncomplete(table: Table): void {
  if (!table.watch.isIncomplete) return
  throw new AuditError(
    'AUDIT_TRIGGERS_OUTDATED',
    `Some of the triggers that record ${quoteTable(table)} are missing or disabled, so that some of its changes would not be recorded, or twice. Nothing was written. Call audit_logs_watch for the table again, which makes its triggers anew, or audit_logs_unwatch.`,
  )
}

/** @throws AuditError `AUDIT_TRIGGERS_OUTDATED`, naming the tables whose triggers no longer fit the table */
export function refuseOutdated(tables: readonly Table[]): void {
  const problems = tables.flatMap((table) => misfitOf(table) ?? [])
  if (problems.length === 0) return
  throw new AuditError(
    'AUDIT_TRIGGERS_OUTDATED',
    `${problems.join('; ')}. Changes are still recorded, by a slower way, by the statement, or out of order. Run "npx prisma-extension-audit triggers", which writes a migration that renews the triggers, and "npx prisma migrate deploy", or call audit_logs_watch for the table again.`,
  )
}

function misfitOf(table: Table): string | undefined {
  const { definition, isRecording, isIncomplete, isOutdated, isOvertaken } = table.watch
  const name = quoteTable(table)
  if (definition && (!isRecording || isIncomplete)) return `${name} lacks triggers that record its rows`
  if (isOutdated) return `${name} has other columns than its triggers spell out`
  if (isOvertaken) {
    return `${name} has got a trigger for each row since its own were made: what that one changes is recorded in the wrong order`
  }
  return undefined
}

function yesOrNo(is: boolean): string {
  return is ? 'yes' : 'no'
}
