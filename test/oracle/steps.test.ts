import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { delegateOf, type Model, relationsOf } from './data-model.ts'
import { loadSchema } from './schemas.ts'
import { isTransaction, printSteps, type Step } from './steps.ts'

const schema = await loadSchema('test-schema')

describe('the random steps', () => {
  const seen = new Set<string>()
  for (const step of fc.sample(schema.steps, { numRuns: 4000, seed: 1 })) note(step, [])

  /** `update`, `$executeRawUnsafe in nested`, `upsert/create/create 3`: what there is, and how deep. */
  function note(step: Step, outer: readonly string[]): void {
    if (isTransaction(step)) {
      seen.add([...outer, step.transaction, step.end].join(' '))
      for (const inner of step.steps) note(inner, [step.transaction])
      return
    }
    seen.add([step.operation, ...outer.map((name) => `in ${name}`)].join(' '))
    const model = schema.dataModel.models.find((model) => delegateOf(model) === step.model)
    const { data, create, update } = step.args as Record<string, unknown>
    if (model) for (const written of [data, create, update]) noteNested(model, written, 1)
  }

  function noteNested(model: Model, data: unknown, depth: number): void {
    if (Array.isArray(data)) for (const item of data) noteNested(model, item, depth)
    for (const relation of relationsOf(model)) {
      const writes = (data as Record<string, object> | undefined)?.[relation.name] ?? {}
      for (const [write, given] of Object.entries(writes)) {
        seen.add(`${write} ${depth}`)
        const { create, update, data } = given as Record<string, unknown>
        for (const written of [given, create, update, data]) {
          noteNested(schema.dataModel.model(relation.type), written, depth + 1)
        }
      }
    }
  }

  it('are of every operation, by itself and in every kind of transaction', () => {
    const operations = [
      ...['create', 'createMany', 'createManyAndReturn', 'update', 'updateMany', 'updateManyAndReturn'],
      ...[
        'upsert',
        'delete',
        'deleteMany',
        '$executeRawUnsafe',
        '$queryRawUnsafe',
        '$executeRaw',
        '$queryRaw',
      ],
    ]
    const places = ['', ' in batch', ' in interactive', ' in nested']
    const wanted = operations.flatMap((operation) => places.map((place) => operation + place))
    expect(wanted.filter((one) => !seen.has(one))).toEqual([])
  })

  it('have every nested write, to depth 3', () => {
    const wanted = nestedWrites.flatMap((write) => [1, 2, 3].map((depth) => `${write} ${depth}`))
    expect(wanted.filter((one) => !seen.has(one))).toEqual([])
  })

  it('commit and are rolled back, and nest twice', () => {
    const wanted = ['commits', 'is rolled back'].flatMap((end) => [
      `interactive ${end}`,
      `interactive nested ${end}`,
      `nested nested ${end}`,
    ])
    expect([...wanted, 'batch commits'].filter((one) => !seen.has(one))).toEqual([])
  })
})

const nestedWrites = [
  ...['create', 'createMany', 'connect', 'connectOrCreate', 'disconnect', 'set'],
  ...['update', 'updateMany', 'upsert', 'delete', 'deleteMany'],
]

describe('a failing sequence is printed as a program', () => {
  it('with every kind of value and of transaction', () => {
    const create = {
      model: 'user',
      operation: 'create',
      args: { data: { id: 1n, at: new Date(0), 'a b': [null] } },
    }
    const raw = { model: '', operation: '$executeRawUnsafe', args: ['DELETE FROM t WHERE id = $1', 'x'] }
    const nested = { transaction: 'nested', end: 'is rolled back', steps: [raw] } as const
    const tagged = { ...raw, operation: '$queryRaw' }
    const steps: Step[] = [
      { transaction: 'batch', end: 'commits', steps: [raw, tagged] },
      { transaction: 'interactive', end: 'commits', steps: [create, nested] },
    ]
    expect(printSteps(steps)).toBe(
      `
await prisma.$transaction([
  prisma.$executeRawUnsafe("DELETE FROM t WHERE id = $1", "x"),
  prisma.$queryRaw\`DELETE FROM t WHERE id = \${"x"}\`,
]).catch(console.error)
await prisma.$transaction(async (tx) => {
  await tx.user.create({ data: { id: 1n, at: new Date('1970-01-01T00:00:00.000Z'), "a b": [null] } })
  await tx.$transaction(async (tx) => {
    await tx.$executeRawUnsafe("DELETE FROM t WHERE id = $1", "x")
    throw new Error('rolled back')
  }).catch(console.error)
}).catch(console.error)`.trim(),
    )
  })
})
