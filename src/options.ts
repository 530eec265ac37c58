import * as z from 'zod/mini'
import type { ActorOptions } from './attribution.ts'
import type { Actor, AuditContext } from './context/context.ts'
import { actorSchema } from './context/context-schema.ts'
import { AuditError } from './errors.ts'
import type { DataModel } from './models/data-model.ts'
import type { FieldName, ModelName } from './models/model-types.ts'
import { parseTableName, type TableName } from './postgres/identifiers.ts'
import type { ResolvedRetention, RetentionOptions } from './retention-options.ts'
import { retentionSchema } from './retention-schema.ts'
import type { ResolvedSeal, SealOptions } from './seal-options.ts'
import { sealSchema } from './seal-schema.ts'
import { isSecret } from './secret-names.ts'
import type { Sink } from './sink.ts'
import { sinksSchema } from './sink-schema.ts'
import { checkShape, errorHandler } from './values/check-shape.ts'

/**
 * How `withAudit` audits a client. Model and field names are those of the client, and complete in the editor.
 *
 * @example
 * ```ts
 * const prisma = withAudit(new PrismaClient({ adapter }), {
 *   models: { exclude: ['Session'] },
 *   redact: { User: ['ssn'], '*': ['iban'] },
 *   ignore: { '*': ['updatedAt'] },
 * })
 * ```
 */
export interface AuditOptions<Client = unknown> {
  /** Which models to record. Default: all but the log's own. */
  models?: { include: ModelName<Client>[] } | { exclude: ModelName<Client>[] }
  /** Fields whose values the log must not hold; it has `"[redacted]"` instead. `'*'` means a field of any model. */
  redact?: FieldsByModel<Client>
  /**
   * Redact fields whose names suggest a secret (`password`, `apiKey`, …; docs/options.md has the list). Default true.
   */
  redactSecrets?: boolean
  /** Fields, such as `updatedAt`, that are not worth an entry when nothing else changes. Never listed in `changed`. */
  ignore?: FieldsByModel<Client>
  /** `'full'` (default): whole rows before and after an update. `'changed'`: only the fields that changed. */
  snapshot?: 'full' | 'changed'
  /** Models whose reads are recorded, even when a call on another model selects or includes them. Default: none. */
  reads?: ModelName<Client>[]
  /** Record writes that fail. Default true. */
  failures?: boolean
  /** Who acts when no context names an actor. Default `{ id: 'system', type: 'system' }`. */
  actor?: Actor
  /** Refuse a write, and a read of a model in `reads`, when neither a context nor the `actor` option names an actor. Default false. */
  requireActor?: boolean
  /** The context of an application with its own AsyncLocalStorage. {@link withAuditContext} takes precedence. */
  context?: () => AuditContext | undefined
  /** The log's table, `'audit_logs'` by default; may be `'schema.table'`. */
  table?: string
  /** A raw statement that can't be captured row by row is recorded as such (default) or refused. */
  uncapturable?: 'record' | 'throw'
  /**
   * How long `$audit.flush()` and `$disconnect()` wait for the database, in milliseconds. Entries that it has not taken
   * by then go to `onError`. Default 10,000.
   */
  flushTimeout?: number
  /** Where copies of the log go. `startShipping` delivers to them; `withAudit` by itself does not. Default: nowhere. */
  sinks?: readonly Sink[]
  /** How the log is sealed. `startSealing`, `seal` and `ship` do it; `withAudit` by itself does not. Default: not at all. */
  seal?: SealOptions
  /** How long entries stay in the table, and the archive that they go to. `startMaintaining` and `maintain` do it; queries read both. Default: forever. */
  retention?: RetentionOptions
  /** Called with a queued entry that could not be written, and once where a trigger that protects the log is missing. */
  onError?: (error: AuditError) => void
}

type FieldsByModel<Client> = {
  [Model in ModelName<Client>]?: FieldName<Client, Model>[]
} & { '*'?: FieldName<Client, ModelName<Client>>[] }

/** Options with all defaults filled in and all names checked. */
export interface ResolvedOptions extends ActorOptions {
  readonly isTracked: (model: string | undefined) => boolean
  /** Whether a field, or a column that no model has, is redacted; `model` is undefined for a table without one. */
  readonly isRedacted: (model: string | undefined, field: string) => boolean
  /** Whether the option `redact` lists the field, whatever its name suggests. */
  readonly isListedRedacted: (model: string | undefined, field: string) => boolean
  /** Whether fields whose names suggest a secret are redacted too. */
  readonly redactSecrets: boolean
  readonly isIgnored: (model: string | undefined, field: string) => boolean
  readonly snapshot: 'full' | 'changed'
  readonly requireActor: boolean
  readonly table: TableName
  readonly uncapturable: 'record' | 'throw'
  /** Whether reads of a model are recorded. */
  readonly isRead: (model: string) => boolean
  readonly recordsReads: boolean
  readonly failures: boolean
  readonly flushTimeout: number
  readonly sinks: readonly Sink[]
  readonly seal: ResolvedSeal | undefined
  readonly retention: ResolvedRetention | undefined
  readonly onError: ((error: AuditError) => void) | undefined
}

const fieldsByModel = z.record(z.string(), z.optional(z.array(z.string())))

const optionsSchema = z.strictObject({
  models: z.optional(
    z.union([
      z.strictObject({ include: z.array(z.string()) }),
      z.strictObject({ exclude: z.array(z.string()) }),
    ]),
  ),
  redact: z.optional(fieldsByModel),
  redactSecrets: z._default(z.boolean(), true),
  ignore: z.optional(fieldsByModel),
  snapshot: z._default(z.enum(['full', 'changed']), 'full'),
  reads: z.optional(z.array(z.string())),
  failures: z._default(z.boolean(), true),
  actor: z.optional(actorSchema),
  requireActor: z._default(z.boolean(), false),
  context: z.optional(z.custom<() => AuditContext | undefined>((value) => typeof value === 'function')),
  table: z._default(z.string(), 'audit_logs'),
  uncapturable: z._default(z.enum(['record', 'throw']), 'record'),
  flushTimeout: z._default(z.number().check(z.nonnegative(), z.maximum(2_147_483_647)), 10_000),
  sinks: z._default(sinksSchema, []),
  seal: z.optional(sealSchema),
  retention: z.optional(retentionSchema),
  onError: errorHandler,
})

/** The part of a model that options are checked against. */
interface KnownModel {
  readonly name: string
  readonly fields: readonly string[]
}

/**
 * Validates options against the models of the client and fills in defaults.
 *
 * @throws AuditError `AUDIT_INVALID_OPTIONS`, naming the option and what it accepts
 */
export function resolveOptions(options: unknown, dataModel: DataModel): ResolvedOptions {
  const parsed = checkShape(optionsSchema, options)
  if (!parsed.success) {
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      `withAudit got options it can't use: ${z.prettifyError(parsed.error)}`,
      {
        cause: parsed.error,
      },
    )
  }
  const {
    models: selection,
    redact = {},
    redactSecrets,
    ignore = {},
    reads = [],
    actor,
    ...rest
  } = parsed.data
  const { included, excluded } = {
    included: selection && 'include' in selection ? selection.include : undefined,
    excluded: selection && 'exclude' in selection ? selection.exclude : [],
  }
  const models = Object.entries(dataModel.models).map(([name, { fields }]) => ({
    name,
    fields: fields.filter(({ kind }) => kind !== 'object').map((field) => field.name),
  }))
  checkModelNames('models', [...(included ?? []), ...excluded], models)
  checkModelNames('reads', reads, models)
  checkFieldNames('redact', redact, models)
  checkFieldNames('ignore', ignore, models)
  const isTracked = (model: string | undefined) =>
    included
      ? model !== undefined && included.includes(model)
      : model === undefined || !excluded.includes(model)
  for (const { name } of models) if (isTracked(name) || reads.includes(name)) checkLength(name)
  const lists = (byModel: typeof redact) => (model: string | undefined, field: string) =>
    (model !== undefined && byModel[model]?.includes(field)) || byModel['*']?.includes(field) || false
  const isListed = lists(redact)
  return {
    ...rest,
    isTracked,
    redactSecrets,
    isListedRedacted: isListed,
    isRedacted: (model, field) => isListed(model, field) || (redactSecrets && isSecret(field)),
    isIgnored: lists(ignore),
    actor: actor ?? { id: 'system', type: 'system' },
    hasOwnActor: actor !== undefined,
    table: parseTableName(rest.table),
    context: rest.context,
    onError: rest.onError,
    seal: rest.seal,
    retention: rest.retention,
    isRead: (model) => reads.includes(model),
    recordsReads: reads.length > 0,
  }
}

/** With the longest verb, `.disconnect`, the log's column `action` is full. */
const longestModel = 89

function checkLength(model: string): void {
  if (model.length <= longestModel) return
  throw new AuditError(
    'AUDIT_INVALID_OPTIONS',
    `The name of the model ${model} has ${model.length} characters, and the log has room for ${longestModel}: its column action holds the name and a verb. A change could not be recorded. Rename the model (@@map keeps the name of its table), or leave it out with the option models: { exclude: [${JSON.stringify(model)}] }.`,
  )
}

function checkModelNames(option: string, listed: readonly string[], models: readonly KnownModel[]): void {
  for (const name of listed) {
    if (models.some((model) => model.name === name)) continue
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      `The option ${option} names ${JSON.stringify(name)}, but the client has no such model. Its models are ${models.map((model) => model.name).join(', ')}.`,
    )
  }
}

/** A misspelled field would leave a secret in the log, so unknown fields are refused. */
function checkFieldNames(
  option: string,
  byModel: Record<string, string[] | undefined>,
  models: readonly KnownModel[],
): void {
  checkModelNames(
    option,
    Object.keys(byModel).filter((name) => name !== '*'),
    models,
  )
  for (const [name, fields = []] of Object.entries(byModel)) {
    const candidates = name === '*' ? models : models.filter((model) => model.name === name)
    for (const field of fields) {
      if (candidates.some((model) => model.fields.includes(field))) continue
      throw new AuditError(
        'AUDIT_INVALID_OPTIONS',
        `The option ${option} names the field ${JSON.stringify(field)} of ${name === '*' ? 'any model' : name}, but there is no such scalar field. Use the field names of the Prisma schema.`,
      )
    }
  }
}
