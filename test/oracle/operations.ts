import fc from 'fast-check'
import { Arguments, oneIn } from './arguments.ts'
import { type DataModel, delegateOf, type Model, relationsOf, scalarsOf } from './data-model.ts'
import { rawStatements } from './raw-statements.ts'
import type { Call, RawCall, Step, Transaction } from './steps.ts'
import { Values } from './values.ts'

/** How deep writes are nested in an operation's own. */
const depth = 3

/** Random steps over a schema: every write of every model, raw SQL, and transactions around some of them. */
export function stepsOf(
  dataModel: DataModel,
  moreRaw: readonly fc.Arbitrary<RawCall>[] = [],
): fc.Arbitrary<Step> {
  const given = new Arguments(dataModel, new Values(dataModel))
  const raw = [...dataModel.models.flatMap((model) => rawStatements(model)), ...moreRaw]
  const call: fc.Arbitrary<Call> = fc.oneof(
    { weight: 6, arbitrary: fc.oneof(...dataModel.models.map((model) => callsOf(model, given))) },
    { weight: 1, arbitrary: fc.oneof(...raw) },
  )
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 8, arbitrary: call },
    { weight: 1, arbitrary: batchOf(call) },
    { weight: 1, arbitrary: interactiveOf(call) },
  )
}

function callsOf(model: Model, given: Arguments): fc.Arbitrary<Call> {
  const call = (operation: string, args: fc.Arbitrary<object>, returns: 'a record' | 'fields' | 'a count') =>
    fc
      .tuple(args, returns === 'a count' ? fc.constant({}) : returned(model, returns === 'a record'))
      .map(([own, shape]): Call => ({ model: delegateOf(model), operation, args: { ...own, ...shape } }))
  const many = fc.array(given.createOneOfMany(model), { minLength: 1, maxLength: 3 })
  const createMany = fc.record({ data: many, skipDuplicates: fc.boolean() })
  const updateMany = fc.record({ where: given.filter(model), data: given.updateMany(model) })
  const weighted = (weight: number, arbitrary: fc.Arbitrary<Call>) => ({ weight, arbitrary })
  return fc.oneof(
    weighted(4, call('create', fc.record({ data: given.create(model, depth) }), 'a record')),
    weighted(1, call('createMany', createMany, 'a count')),
    weighted(1, call('createManyAndReturn', createMany, 'fields')),
    weighted(
      5,
      call('update', fc.record({ where: given.unique(model), data: given.update(model, depth) }), 'a record'),
    ),
    weighted(1, call('updateMany', updateMany, 'a count')),
    weighted(1, call('updateManyAndReturn', updateMany, 'fields')),
    weighted(2, call('upsert', given.upsert(model, depth), 'a record')),
    weighted(1, call('upsert', given.upsert(model, 0), 'fields')),
    weighted(2, call('delete', fc.record({ where: given.unique(model) }), 'a record')),
    weighted(1, call('deleteMany', fc.record({ where: given.filter(model) }), 'a count')),
  )
}

/** What of the result is wanted: mostly all, sometimes some fields, or relations with it. */
function returned(model: Model, withRelations: boolean): fc.Arbitrary<object> {
  const fields = (names: readonly string[]) =>
    fc
      .subarray([...names], { minLength: 1, maxLength: Math.min(2, names.length) })
      .map((some) => Object.fromEntries(some.map((name) => [name, true])))
  const scalars = scalarsOf(model).map(({ name }) => name)
  const relations = relationsOf(model).map(({ name }) => name)
  const shapes = [
    fields(scalars).map((select) => ({ select })),
    ...(scalars.length > 2 ? [fields(scalars).map((omit) => ({ omit }))] : []),
    ...(withRelations && relations.length > 0
      ? [
          fields(relations).map((include) => ({ include })),
          fields([...scalars, ...relations]).map((select) => ({ select })),
        ]
      : []),
  ]
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.oneof(...shapes) },
  )
}

const end = oneIn(3).map((isUndone) => (isUndone ? ('is rolled back' as const) : ('commits' as const)))

function batchOf(call: fc.Arbitrary<Call>): fc.Arbitrary<Transaction> {
  return fc.array(call, { minLength: 1, maxLength: 4 }).map((steps) => ({
    transaction: 'batch' as const,
    end: 'commits' as const,
    steps,
  }))
}

/** Interactive transactions with others nested in them, two levels deep. */
function interactiveOf(call: fc.Arbitrary<Call>): fc.Arbitrary<Transaction> {
  const block = <Kind extends Transaction['transaction']>(transaction: Kind, step: fc.Arbitrary<Step>) =>
    fc.record({
      transaction: fc.constant(transaction),
      end,
      steps: fc.array(step, { minLength: 1, maxLength: 4 }),
    })
  const within = (inner: fc.Arbitrary<Step>): fc.Arbitrary<Step> =>
    fc.oneof(
      { withCrossShrink: true },
      { weight: 3, arbitrary: call },
      { weight: 2, arbitrary: block('nested', inner) },
    )
  return block('interactive', within(within(call)))
}
