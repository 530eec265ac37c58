import { type DataModel, type Link, type Model, ModelIndex } from '../models/data-model.ts'
import type { ResolvedOptions } from '../options.ts'
import type { TableName } from '../postgres/identifiers.ts'

/** The options of `audit_logs_watch`, as far as they differ from its defaults. */
export interface WatchOptions {
  /** Column → field, where they differ. */
  readonly fields?: Readonly<Record<string, string>>
  readonly redact?: readonly string[]
  readonly redactSecrets?: false
  readonly ignore?: readonly string[]
  readonly snapshot?: 'changed'
  /** The triggers stay silent in a session whose `session_replication_role` is `replica`: changes come from elsewhere. */
  readonly origin?: true
  readonly link?: Readonly<Record<'A' | 'B', WatchedSide>>
}

interface WatchedSide {
  readonly resource: string
  readonly relation: string
  readonly recorded?: false
}

/** A table that triggers are to record, and how. */
export interface WatchedTable {
  readonly table: Required<TableName>
  readonly resource: string
  readonly options: WatchOptions
}

/**
 * The tables of a data model that the options record: those of its models and of implicit many-to-many relations.
 *
 * @param defaultSchema where models without `@@schema` live
 */
export function watchedTables(
  dataModel: DataModel,
  options: ResolvedOptions,
  defaultSchema: string,
): WatchedTable[] {
  const index = new ModelIndex(dataModel, defaultSchema)
  const isLog = ({ table, schema = defaultSchema }: Model) =>
    table === options.table.name && schema === (options.table.schema ?? defaultSchema)
  const models = index.models.filter((model) => options.isTracked(model.name) && !isLog(model))
  const links = index
    .implicitLinks(dataModel)
    .filter(({ A, B }) => [A, B].some(({ model }) => options.isTracked(model.name)))
  return [
    ...models.map((model) => ({
      table: { schema: model.schema ?? defaultSchema, name: model.table },
      resource: model.resource,
      options: modelOptions(model, options),
    })),
    ...links.map(({ table, A, B }) => ({
      table: { schema: A.model.schema ?? defaultSchema, name: table },
      resource: table,
      options: linkOptions(dataModel, { A, B }, options),
    })),
  ]
}

function modelOptions(model: Model, options: ResolvedOptions): WatchOptions {
  const fields = [...model.fields.values()]
  const renamed = [...model.fields].filter(([column, field]) => column !== field)
  const redact = fields.filter((field) => options.isListedRedacted(model.name, field))
  const ignore = fields.filter((field) => options.isIgnored(model.name, field))
  return {
    ...(renamed.length > 0 && { fields: Object.fromEntries(renamed) }),
    ...(redact.length > 0 && { redact }),
    ...(!options.redactSecrets && { redactSecrets: false as const }),
    ...(ignore.length > 0 && { ignore }),
    ...(options.snapshot === 'changed' && { snapshot: 'changed' as const }),
  }
}

function linkOptions(dataModel: DataModel, { A, B }: Link, options: ResolvedOptions): WatchOptions {
  // the columns hold the keys of the models, which may be redacted there
  const isKeyRedacted = ({ model }: Link['A']) =>
    dataModel.models[model.name]?.fields.some(
      ({ name, isId }) => isId && options.isRedacted(model.name, name),
    ) ?? false
  const redact = (['A', 'B'] as const).filter((column) => isKeyRedacted({ A, B }[column]))
  const side = ({ model, relation }: Link['A']): WatchedSide => ({
    resource: model.resource,
    relation,
    ...(!options.isTracked(model.name) && { recorded: false as const }),
  })
  return { ...(redact.length > 0 && { redact }), link: { A: side(A), B: side(B) } }
}
