import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DataModel } from '../../src/models/data-model.ts'
import { filterShape } from '../../src/reads/filter-shape.ts'

const field = (name: string, type = 'String', kind = 'scalar') => ({ name, type, kind })
const dataModel: DataModel = {
  models: {
    Patient: {
      dbName: null,
      fields: [
        ...[field('id', 'Int'), field('name'), field('is'), field('chart', 'Json'), field('tags')],
        ...[field('ward', 'Ward', 'object'), field('visits', 'Visit', 'object')],
      ],
    },
    Ward: { dbName: null, fields: [field('name'), field('some'), field('patients', 'Patient', 'object')] },
    Visit: { dbName: null, fields: [field('at', 'DateTime'), field('patient', 'Patient', 'object')] },
  },
}
const shape = (where: unknown) => filterShape(dataModel, 'Patient', where)

describe('the shape of a filter', () => {
  it.each<[string, unknown, unknown]>([
    ['values', { id: 1, name: null, is: 'x', tags: undefined }, { id: '?', name: '?', is: '?' }],
    [
      'operators',
      { name: { contains: 'x', mode: 'insensitive', not: { in: ['a'] } } },
      { name: { contains: '?', mode: '?', not: { in: '?' } } },
    ],
    [
      'dates',
      { visits: { every: { at: { gte: new Date(0) } } } },
      { visits: { every: { at: { gte: '?' } } } },
    ],
    [
      'lists',
      { id: { in: [1, 2, 3] }, tags: { hasSome: ['a', 'b'] } },
      { id: { in: '?' }, tags: { hasSome: '?' } },
    ],
    [
      'combinations',
      { OR: [{ id: 1 }, { NOT: { name: 'x' } }, { id: 2 }], AND: { id: 2 } },
      { OR: [{ id: '?' }, { NOT: { name: '?' } }], AND: { id: '?' } },
    ],
    [
      'relations',
      { ward: { is: { name: 'x' } }, visits: { none: {} } },
      { ward: { is: { name: '?' } }, visits: { none: {} } },
    ],
    [
      'a relation without is',
      { ward: { name: { startsWith: 'x' }, some: 'field' } },
      { ward: { name: { startsWith: '?' }, some: '?' } },
    ],
    ['no relation', { ward: null }, { ward: '?' }],
    [
      'Json, whose keys are values, too',
      { chart: { path: ['hiv'], equals: { hiv: true }, not: { hiv: 1 } } },
      { chart: { path: '?', equals: '?', not: '?' } },
    ],
    ['a compound key', { id_name: { id: 1, name: 'x' } }, { id_name: { id: '?', name: '?' } }],
  ])('keeps names and hides values: %s', (_, where, expected) => {
    expect(shape(where)).toEqual(expected)
  })

  it('never holds a value, whatever it is compared with', () => {
    const leaf = fc.oneof(
      fc.string().map((text) => `secret ${text}`),
      fc.constant(['secret']),
      fc.constant({ toFixed: () => 'secret' }),
    )
    const operators = fc.dictionary(fc.constantFrom('equals', 'not', 'in', 'contains', 'path', 'gt'), leaf)
    const scalar = fc.dictionary(
      fc.constantFrom('id', 'name', 'is', 'chart', 'tags'),
      fc.oneof(leaf, operators),
    )
    const { where } = fc.letrec<{ where: object }>((tie) => ({
      where: fc.oneof(
        { depthSize: 'small' },
        scalar,
        fc.record({ AND: fc.array(tie('where')), NOT: tie('where') }),
        fc.record({ ward: fc.record({ is: fc.record({ patients: fc.record({ some: tie('where') }) }) }) }),
      ),
    }))
    fc.assert(
      fc.property(where, (filter) => {
        expect(JSON.stringify(shape(filter))).not.toContain('secret')
      }),
    )
  })
})
