import { internalSchema } from '../../log/internal-schema.ts'
import type { Link, LinkSide, Model, ModelIndex } from '../../models/data-model.ts'
import type { ResolvedOptions } from '../../options.ts'
import { type Catalog, type Column, keyOfTable, type Table } from '../../postgres/catalog.ts'
import { own, quoteLiteral, quoteTable } from '../../postgres/identifiers.ts'
import { redactedValue } from '../../values/redacted.ts'
import { idExpression } from '../../values/resource-id.ts'
import { differs, jsonValue, textValue } from '../../values/sql-json.ts'
import { entryDetails, type Field, rowObject, selectFields } from './entry-details.ts'
import type { EntryParameters } from './entry-parameters.ts'
import type { RowReference } from './row-names.ts'

/** An update as the log's function takes it, in SQL. */
export interface RecordedUpdate {
  readonly before: string
  readonly after: string
  readonly changed: string
}

/** A table as the log sees it: its resource name, its fields, and what to show of them. */
export class TrackedTable {
  readonly table: Table
  readonly model: Model | undefined
  readonly link: Link | undefined
  /** `resource_type`, and the first half of `action`. */
  readonly resource: string
  /** Whether statements record changes here; for a link, if one of its sides is tracked. */
  readonly isTracked: boolean
  /** Whether the options want changes here in the log, whoever records them. */
  readonly isWanted: boolean
  /** The log itself, whose entries need none. */
  readonly isLog: boolean
  readonly #options: ResolvedOptions

  readonly #redactedSides: ReadonlySet<'A' | 'B'>

  constructor(table: Table, models: ModelIndex, options: ResolvedOptions, catalog: Catalog) {
    this.table = table
    this.model = models.ofTable(table)
    this.link = models.linkOf(table)
    this.resource = this.model?.resource ?? table.name
    this.#options = options
    this.isLog = isLog(table, options)
    this.#redactedSides = new Set(
      (['A', 'B'] as const).filter((side) => {
        const model = this.link?.[side].model
        const key = model ? keyOfTable(catalog, models.locationOf(model)) : []
        return key.some((column) =>
          options.isRedacted(model?.name, model?.fields.get(column.name) ?? column.name),
        )
      }),
    )
    this.isWanted = wantsTable(table, models, options)
    this.isTracked = this.isWanted && !table.watch.isRecording
  }

  /** The resource as an SQL literal. */
  get resourceLiteral(): string {
    return quoteLiteral(this.resource)
  }

  /** Whether a side of this link writes entries. */
  isSideTracked(side: LinkSide): boolean {
    return this.#options.isTracked(side.model.name)
  }

  /** The literal `'order.update'`. */
  action(verb: string): string {
    return quoteLiteral(`${this.resource}.${verb}`)
  }

  /** `resource_id`; null without a key. */
  id(row: RowReference): string {
    const { primaryKey } = this.table
    return idExpression(
      primaryKey,
      primaryKey.map((column) => this.#text(column, row)),
    )
  }

  /** The text of a link's column: the id of the record that it points to. */
  linkedId(side: 'A' | 'B', row: RowReference): string {
    const column = this.table.columns.find((one) => one.name === side)
    if (!column) return 'NULL::text'
    const text = this.#redactedSides.has(side) ? redacted(row(column)) : textValue(column, row(column))
    return idExpression([column], [text])
  }

  created(after: RowReference, entry: EntryParameters, extra: Record<string, string> = {}): string {
    return entryDetails({ after: this.#fields(after), ...extra }, entry)
  }

  deleted(before: RowReference, entry: EntryParameters, extra: Record<string, string> = {}): string {
    return entryDetails({ before: this.#fields(before), ...extra }, entry)
  }

  /** The details of an update; NULL when no tracked field of `candidates` changed. */
  updated(
    before: RowReference,
    after: RowReference,
    candidates: readonly Column[],
    entry: EntryParameters,
    extra: Record<string, string> = {},
  ): string {
    const changes = this.#changes(before, after, candidates)
    if (changes.length === 0) return 'NULL::jsonb'
    const changed = namesOf(changes)
    const [oldRow, newRow] = [this.#fields(before), this.#fields(after)]
    const details =
      this.#options.snapshot === 'full'
        ? entryDetails({ before: oldRow, after: newRow, changed, ...extra }, entry)
        : entryDetails(
            { before: only(oldRow, changed), after: only(newRow, changed), changed, ...extra },
            entry,
          )
    return `CASE WHEN ${changes.map(({ test }) => test).join(' OR ')} THEN ${details} END`
  }

  /** A whole row as one JSON object; `iso` is a function that writes timestamps. */
  row(row: RowReference, iso: string): string {
    return rowObject(this.#fields(row, this.table.columns, iso))
  }

  /**
   * An update in the parts that the log's function puts together: `after` has only what may differ, the fields of
   * `candidates`. Undefined when no change of theirs is worth an entry.
   */
  changes(
    before: RowReference,
    after: RowReference,
    candidates: readonly Column[],
    iso: string,
  ): RecordedUpdate | undefined {
    const changes = this.#changes(before, after, candidates)
    if (changes.length === 0) return undefined
    const changed = namesOf(changes)
    const [oldRow, newRow] = [
      this.#fields(before, this.table.columns, iso),
      this.#fields(after, candidates, iso),
    ]
    return this.#options.snapshot === 'full'
      ? { before: rowObject(oldRow), after: rowObject(newRow), changed }
      : { before: only(oldRow, changed), after: only(newRow, changed), changed }
  }

  /**
   * An expression that is never evaluated, but fails to parse (SQLSTATE 42846) when the table's number of columns is
   * not the catalog's. Otherwise entries would silently lack a column after a migration. If a column was renamed, its
   * old name in the entry fails (42703).
   */
  get shapeGuard(): string {
    return `CASE WHEN false THEN ROW(${this.table.columns.map(() => 'NULL').join(', ')})::${quoteTable(this.table)} END`
  }

  /** Columns that an update may have changed: the assigned ones, and whatever else the database computes. */
  changeable(assigned: readonly string[]): Column[] {
    const { beforeUpdate, kind, inherited, columns } = this.table
    // partitions, and tables that inherit, have triggers of their own
    if (beforeUpdate || kind === 'p' || inherited) return [...columns]
    return columns.filter((column) => column.generated || assigned.includes(column.name))
  }

  #field(column: Column): string {
    return this.model?.fields.get(column.name) ?? column.name
  }

  #text(column: Column, row: RowReference): string {
    const text = textValue(column, row(column))
    return this.isRedacted(column) ? redacted(text) : text
  }

  /** Whether the log must not hold a column's values. */
  isRedacted(column: Column): boolean {
    return this.#options.isRedacted(this.model?.name, this.#field(column))
  }

  /** Whether a change of only this column is not worth an entry. */
  isIgnored(column: Column): boolean {
    return this.#options.isIgnored(this.model?.name, this.#field(column))
  }

  get snapshot(): 'full' | 'changed' {
    return this.#options.snapshot
  }

  /** The columns whose change is worth an entry, each with the test whether it changed. */
  #changes(before: RowReference, after: RowReference, columns: readonly Column[]): Change[] {
    return columns
      .filter((column) => !this.isIgnored(column))
      .map((column) => ({ name: this.#field(column), test: differs(column, before(column), after(column)) }))
  }

  #fields(row: RowReference, columns = this.table.columns, iso?: string): Field[] {
    return columns.map((column) => {
      const reference = row(column)
      const value = this.isRedacted(column) ? redacted(reference) : jsonValue(column.type, reference, iso)
      return { name: this.#field(column), value }
    })
  }
}

/** Whether the options want changes of a table in the log. */
export function wantsTable(table: NamedTable, models: ModelIndex, options: ResolvedOptions): boolean {
  const link = models.linkOf(table)
  const names = link ? [link.A.model.name, link.B.model.name] : [models.ofTable(table)?.name]
  return !isLog(table, options) && names.some((name) => options.isTracked(name))
}

type NamedTable = Pick<Table, 'schema' | 'name'> & { readonly columns: readonly Pick<Column, 'name'>[] }

/** The log itself, and what readers of it keep. */
function isLog({ schema, name }: NamedTable, { table }: ResolvedOptions): boolean {
  if (schema === internalSchema(table)) return true
  return name === table.name && (table.schema === undefined || schema === table.schema)
}

interface Change {
  readonly name: string
  readonly test: string
}

/** The names of the changed fields, as a text[]. */
function namesOf(changes: readonly Change[]): string {
  const names = changes.map(({ name, test }) => `CASE WHEN ${test} THEN ${quoteLiteral(name)} END`)
  return `pg_catalog.array_remove(ARRAY[${names.join(', ')}], NULL)`
}

function redacted(reference: string): string {
  return `CASE WHEN ${reference} IS NOT NULL THEN ${quoteLiteral(redactedValue)}::text END`
}

/** A row's changed fields. */
function only(row: readonly Field[], changed: string): string {
  const [fields, field] = [own('fields'), own('field')]
  return [
    `(SELECT pg_catalog.jsonb_object_agg(${field}.key, ${field}.value)`,
    `FROM (${selectFields(row)}) AS ${fields}, pg_catalog.jsonb_each(pg_catalog.to_jsonb(${fields})) AS ${field}`,
    `WHERE ${field}.key = ANY (${changed}))`,
  ].join(' ')
}
