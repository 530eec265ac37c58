import { isSecret } from '../secret-names.ts'
import type { InstalledTriggers } from './installed-triggers.ts'
import type { WatchedTable } from './watched-tables.ts'

/**
 * Which options the triggers of a table have otherwise than the schema and the options of the project say, by name.
 * Columns that came or went since are left out: there triggers can't have what is said now.
 *
 * @see prisma/functions/normalized_options.sql for the form in which the database has them
 */
export function optionDifferences(
  { resource, options }: WatchedTable,
  { definition, columns }: InstalledTriggers,
): string[] {
  if (!definition) return []
  const known = columns
    .filter(({ number }) => number <= definition.columns)
    .map((column) => ({ ...column, field: options.fields?.[column.name] ?? column.name }))
  const redactSecrets = options.redactSecrets ?? true
  const namedIn = (list: readonly string[] = []) => {
    return ({ name, field }: { name: string; field: string }) => list.includes(name) || list.includes(field)
  }
  const isRedacted = namedIn(options.redact)
  const isIgnored = namedIn(options.ignore)
  const here = {
    ...{ resource, snapshot: options.snapshot ?? 'full', redactSecrets },
    redact: known.map((column) => isRedacted(column) || (redactSecrets && isSecret(column.field))),
    ignore: known.map(isIgnored),
    fields: known.map(({ field }) => field),
    link: options.link && [linkSide(options.link.A), linkSide(options.link.B)],
  }
  const there: typeof here = {
    ...{ resource: definition.resource, snapshot: definition.snapshot },
    redactSecrets: definition.redactSecrets,
    redact: known.map(({ number }) => definition.redact.includes(number)),
    ignore: known.map(({ number }) => definition.ignore.includes(number)),
    fields: known.map(({ number, name }) => definition.fields[number] ?? name),
    link: definition.link && [linkSide(definition.link.A), linkSide(definition.link.B)],
  }
  const names = Object.keys(here) as (keyof typeof here)[]
  return names.filter((name) => JSON.stringify(here[name]) !== JSON.stringify(there[name]))
}

interface RecordedSide {
  readonly resource: string
  readonly relation: string
  readonly recorded?: boolean
}

function linkSide({ resource, relation, recorded = true }: RecordedSide): unknown[] {
  return [resource, relation, recorded]
}
