import { describe, expect, it } from 'vitest'
import { AuditError } from '../../src/errors.ts'
import { resolveOptions } from '../../src/options.ts'

const [fits, tooLong] = ['F'.repeat(89), 'L'.repeat(90)]
const modelsOf = (...names: string[]) => ({
  models: Object.fromEntries(names.map((name) => [name, { dbName: 'short', fields: [] }])),
})

describe('a model whose name is longer than the log has room for', () => {
  it('is refused by withAudit, with the length that fits', () => {
    const resolve = () => resolveOptions({}, modelsOf(tooLong))
    expect(resolve).toThrow(AuditError)
    expect(resolve).toThrow(expect.objectContaining({ code: 'AUDIT_INVALID_OPTIONS' }))
    expect(resolve).toThrow(`${tooLong} has 90 characters, and the log has room for 89`)
  })

  it('is refused where its reads are recorded', () => {
    const options = { models: { exclude: [tooLong] }, reads: [tooLong] }
    expect(() => resolveOptions(options, modelsOf(tooLong))).toThrow('room for 89')
  })

  it('can be left out, and one character less is room enough', () => {
    const options = resolveOptions({ models: { exclude: [tooLong] } }, modelsOf(tooLong, fits))
    expect([options.isTracked(fits), options.isTracked(tooLong)]).toEqual([true, false])
    expect(`${fits}.disconnect`).toHaveLength(100)
  })
})
