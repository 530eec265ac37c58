import { PrismaPg } from '@prisma/adapter-pg'
import { describe, expect, it } from 'vitest'
import { AuditError, type AuditOptions, withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'

interface Internals {
  readonly _originalClient: {
    _createItxClient?: unknown
    _transactionWithCallback?: unknown
    _request?: unknown
  }
  readonly _requestHandler: { readonly dataloader: { readonly options: { batchBy?: unknown } } }
}

/** A client as another version of Prisma might make it. Nothing connects. */
function clientWithout(remove: (internals: Internals) => void) {
  const adapter = new PrismaPg({ connectionString: 'postgresql://localhost/none' })
  const client = new PrismaClient({ adapter })
  remove(client as unknown as Internals)
  return { adapter, client }
}

function errorOfWrapping(client: PrismaClient, options: AuditOptions<PrismaClient> = {}): unknown {
  try {
    return withAudit(client, options)
  } catch (error) {
    return error
  }
}

describe('a Prisma client whose internals this version does not support', () => {
  it.each<[string, (internals: Internals) => void, string]>([
    [
      'one that sends its requests in another way',
      ({ _requestHandler }) => {
        _requestHandler.dataloader.options.batchBy = undefined
      },
      'This version of prisma-extension-audit does not support the way in which the client sends its requests, so entries could get the wrong actor. Use a release of Prisma 7 that it supports (see its README).',
    ],
    [
      'one that makes the clients of transactions in another way',
      ({ _originalClient }) => {
        _originalClient._createItxClient = undefined
      },
      'This version of prisma-extension-audit does not support the way in which the client opens transactions, so events recorded in one could outlive it. Use a release of Prisma 7 that it supports (see its README).',
    ],
    [
      'one that runs transactions in another way',
      ({ _originalClient }) => {
        _originalClient._transactionWithCallback = undefined
      },
      'This version of prisma-extension-audit does not support the way in which the client opens transactions, so events recorded in one could outlive it. Use a release of Prisma 7 that it supports (see its README).',
    ],
    [
      'one that handles calls in another way, if reads are recorded',
      ({ _originalClient }) => {
        _originalClient._request = undefined
      },
      'This version of prisma-extension-audit does not support the way in which the client handles calls, so reads could not be recorded without changing their results. Use a release of Prisma 7 that it supports (see its README), or leave out the option reads.',
    ],
  ])('is refused: %s', (_, remove, message) => {
    const { adapter, client } = clientWithout(remove)
    const { connect } = adapter
    const error = errorOfWrapping(client, { reads: ['Tag'] })
    expect(error).toBeInstanceOf(AuditError)
    expect(error).toMatchObject({ code: 'AUDIT_UNSUPPORTED_CLIENT', message })
    expect(adapter.connect).toBe(connect)
  })

  it('is audited where it handles calls in another way, and no reads are recorded', () => {
    const { client } = clientWithout(({ _originalClient }) => {
      _originalClient._request = undefined
    })
    expect(errorOfWrapping(client)).toHaveProperty('$audit')
  })
})
