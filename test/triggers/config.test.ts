import { describe, expect, it } from 'vitest'
import { defineAudit, withAudit } from '../../src/index.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createClient } from '../support/database.ts'

const unconnected = () => createClient('postgresql://localhost/nowhere')

describe('defineAudit', () => {
  it('gives the options for withAudit, which knows the models and fields of its client', () => {
    const options = defineAudit({
      models: { exclude: ['Country'] },
      redact: { User: ['email'], '*': ['name'] },
      snapshot: 'changed',
    })
    expect(options).toEqual({
      models: { exclude: ['Country'] },
      redact: { User: ['email'], '*': ['name'] },
      snapshot: 'changed',
    })
    withAudit(unconnected(), options)
    withAudit(unconnected(), defineAudit({}))
    const misspelled = defineAudit({ models: { include: ['Usr'] } })
    // @ts-expect-error: the client has no such model
    expect(() => withAudit(unconnected(), misspelled)).toThrow(
      'names "Usr", but the client has no such model',
    )
  })

  it('checks them itself where it is told the client', () => {
    const options = defineAudit<PrismaClient>({ models: { include: ['User'] }, ignore: { '*': ['name'] } })
    withAudit(unconnected(), options)
    // @ts-expect-error: the client has no such model
    defineAudit<PrismaClient>({ models: { include: ['Usr'] } })
    // @ts-expect-error: there is no such option
    defineAudit({ redacted: {} })
  })
})
