import type { ResultShape } from '../log/call.ts'
import type { DataModel } from '../models/data-model.ts'
import type { StoredModel } from '../models/stored-models.ts'
import { type FilterShape, filterShape } from './filter-shape.ts'

/** A place in a result that has records of one model, with what is recorded there and below. */
export interface Selection {
  /** The model whose reads are recorded; undefined where only a relation further down is. */
  readonly model: StoredModel | undefined
  /** The relations that lead to the records, from those that were asked for: `order.patient`. */
  readonly via: string | undefined
  /** The scalar fields that the result has. */
  readonly fields: readonly string[]
  readonly filter: FilterShape | undefined
  /** Key fields that only the audit asks for. */
  readonly hidden: readonly string[]
  readonly relations: ReadonlyMap<string, Selection>
}

/** What {@link select} needs to know. */
export interface SelectionContext {
  readonly dataModel: DataModel
  readonly shape: ResultShape
  /** The model, if its reads are recorded. */
  readonly recorded: (model: string) => Promise<StoredModel | undefined>
}

/** The part of a call's or a relation's arguments that says what to return. */
export interface Selectable {
  readonly where?: unknown
  readonly select?: Chosen
  readonly include?: Chosen
  readonly omit?: Chosen
}

type Chosen = Readonly<Record<string, unknown>> | null

/**
 * Finds the recorded reads in a call's arguments.
 *
 * @param path the relations followed so far, after the called model's resource
 * @param isRead whether records of this model count; those that a write returns do not
 * @returns the arguments, which also select the keys that entries need, and what is recorded, if anything
 */
export async function select(
  context: SelectionContext,
  model: string,
  args: Selectable,
  path: readonly string[],
  isRead = true,
): Promise<{ readonly args: Selectable; readonly selection: Selection | undefined }> {
  const recorded = isRead ? await context.recorded(model) : undefined
  const below = await selectRelations(context, model, args, path)
  if (!recorded && below.relations.size === 0) return { args, selection: undefined }
  const given = fieldsOf(context, model, args)
  const missing = (recorded?.key ?? []).map(({ name }) => name).filter((name) => !given.has(name))
  const needed = neededFields(context, model, args)
  return {
    args: withFields({ ...args, ...below.args }, missing),
    selection: {
      model: recorded,
      via: path.length > 1 ? path.join('.') : undefined,
      fields: [...given],
      filter: args.where === undefined ? undefined : filterShape(context.dataModel, model, args.where),
      // what a computed field needs is in the result anyway, and Prisma removes it
      hidden: missing.filter((name) => !needed.has(name)),
      relations: below.relations,
    },
  }
}

/** The relations that a call selects or includes. */
async function selectRelations(
  context: SelectionContext,
  model: string,
  args: Selectable,
  path: readonly string[],
): Promise<{ readonly args: Selectable; readonly relations: ReadonlyMap<string, Selection> }> {
  const relations = new Map<string, Selection>()
  const changed: { select?: Chosen; include?: Chosen } = {}
  for (const clause of ['select', 'include'] as const) {
    for (const [name, wanted] of Object.entries(args[clause] ?? {})) {
      const field = context.dataModel.models[model]?.fields.find((one) => one.name === name)
      if (field?.kind !== 'object' || !isWanted(wanted)) continue
      const inner = wanted === true ? {} : (wanted as Selectable)
      const selected = await select(context, field.type, inner, [...path, name])
      if (!selected.selection) continue
      relations.set(name, selected.selection)
      const isSame = Object.entries(selected.args).every(
        ([key, value]) => inner[key as keyof Selectable] === value,
      )
      if (!isSame) changed[clause] = { ...(changed[clause] ?? args[clause]), [name]: selected.args }
    }
  }
  return { args: changed, relations }
}

/** The scalar fields of the caller's result, in the model's order. */
function fieldsOf(
  { dataModel, shape }: SelectionContext,
  model: string,
  { select, omit }: Selectable,
): Set<string> {
  const scalars = (dataModel.models[model]?.fields ?? []).filter(({ kind }) => kind !== 'object')
  const omitted = { ...shape.omitted(model), ...withoutUndefined(omit) }
  return new Set(
    scalars
      .map(({ name }) => name)
      .filter((name) => (select ? isWanted(select[name]) : omitted[name] !== true)),
  )
}

/** The fields that computed fields in the result are made from. */
function neededFields({ shape }: SelectionContext, model: string, { select, omit }: Selectable): Set<string> {
  const computed = shape
    .computed(model)
    .filter(({ name }) => (select ? isWanted(select[name]) : omit?.[name] !== true))
  return new Set(computed.flatMap(({ needs }) => needs))
}

function withFields(args: Selectable, names: readonly string[]): Selectable {
  if (names.length === 0) return args
  const clause = args.select ? 'select' : 'omit'
  const wanted = names.map((name) => [name, clause === 'select'])
  return { ...args, [clause]: { ...args[clause], ...Object.fromEntries(wanted) } }
}

function withoutUndefined(chosen: Chosen | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(chosen ?? {}).filter(([, value]) => isWanted(value) || value === false),
  )
}

/** Prisma takes `undefined` and `Prisma.skip` as absent, which in a selection means no. */
function isWanted(value: unknown): boolean {
  return value === true || isArguments(value)
}

/** `Prisma.skip` is an instance of a class. */
function isArguments(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
