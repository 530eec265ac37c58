import { describe, expect, it } from 'vitest'
import { type AuditContext, AuditError, getAuditContext, withAuditContext } from '../../src/index.ts'
import { ada } from './contexts.ts'

/** The error of a context that is refused; fails when it is not, or when its function ran. */
function refusalOf(context: unknown): AuditError {
  let ran = false
  try {
    withAuditContext(context as AuditContext, () => {
      ran = true
    })
  } catch (error) {
    expect(ran).toBe(false)
    expect(error).toBeInstanceOf(AuditError)
    return error as AuditError
  }
  throw new Error('the context was not refused')
}

describe('a context that the log cannot store is refused before its function runs', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = { again: cycle }
  const shared = { n: 1 }

  it.each<[string, unknown, RegExp]>([
    ['no object', null, /context/],
    ['a string', 'ada', /context/],
    ['an unknown key', { user: 'ada' }, /user/],
    ['an unknown key of the actor', { actor: { ...ada, name: 'Ada' } }, /actor/],
    ['an unknown actor type', { actor: { id: 'ada', type: 'robot' } }, /"user"\|"system"\|"api_key"/],
    ['an actor without an id', { actor: { type: 'user' } }, /actor\.id/],
    ['an actor with an empty id', { actor: { id: '', type: 'user' } }, /actor\.id/],
    ['an actor whose id is a number', { actor: { id: 7, type: 'user' } }, /actor\.id/],
    ['an actor id of 256 characters', { actor: { id: 'x'.repeat(256), type: 'user' } }, /255/],
    ['a request id of 256 characters', { requestId: 'x'.repeat(256) }, /requestId/],
    ['an organization id of 256 characters', { organizationId: 'x'.repeat(256) }, /organizationId/],
    ['an email of 256 characters', { actor: { ...ada, email: 'x'.repeat(256) } }, /email/],
    ['a name instead of an address', { ip: 'localhost' }, /IPv4 or IPv6/],
    ['an address with a port', { ip: '127.0.0.1:80' }, /IPv4 or IPv6/],
    ['an address with a prefix length', { ip: '10.0.0.0/8' }, /IPv4 or IPv6/],
    ['an address out of range', { ip: '256.0.0.1' }, /IPv4 or IPv6/],
    ['two addresses', { ip: '10.0.0.1, 10.0.0.2' }, /IPv4 or IPv6/],
    ['an empty address', { ip: '' }, /IPv4 or IPv6/],
    ['an IPv6 address with a zone', { ip: 'fe80::1%eth0' }, /IPv4 or IPv6/],
    ['a NUL in the actor id', { actor: { id: 'a\0b', type: 'user' } }, /NUL/],
    ['a NUL in the reason', { reason: 'a\0b' }, /NUL/],
    ['a lone surrogate in the user agent', { userAgent: 'x\ud800' }, /surrogate/],
    ['a null field', { requestId: null }, /requestId/],
    ['metadata that is a list', { metadata: [1] }, /metadata/],
    ['metadata that is a string', { metadata: 'x' }, /metadata/],
    ['a function in metadata', { metadata: { f: () => 1 } }, /metadata\.f is a function/],
    ['a symbol in metadata', { metadata: { s: Symbol('s') } }, /metadata\.s is a symbol/],
    ['a Promise in metadata', { metadata: { p: Promise.resolve() } }, /metadata\.p is a Promise/],
    ['an invalid Date in metadata', { metadata: { d: new Date('x') } }, /metadata\.d is an invalid Date/],
    ['metadata that is no object as JSON', { metadata: new Date(0) }, /metadata is not an object in JSON/],
    ['a cycle in metadata', { metadata: cycle }, /refers back/],
    ['a NUL in metadata', { metadata: { a: ['x\0'] } }, /metadata\.a\.0 holds a NUL/],
    ['a lone surrogate in metadata', { metadata: { a: '\udc00' } }, /lone surrogate/],
    [
      'a NUL in a key of metadata',
      { metadata: { a: { 'x\0': 1 } } },
      /metadata\.a\.x\0 has a NUL character or a lone surrogate in its name/,
    ],
    ['a NUL in a top-level key of metadata', { metadata: { 'x\0': 1 } }, /NUL/],
    ['a symbol behind toJSON', { metadata: { x: { toJSON: () => Symbol('s') } } }, /metadata\.x is a symbol/],
  ])('%s', (_, context, message) => {
    const error = refusalOf(context)
    expect(error.code).toBe('AUDIT_INVALID_CONTEXT')
    expect(error.message).toMatch(message)
  })

  it('an object twice in metadata is no cycle', () => {
    expect(withAuditContext({ metadata: { a: shared, b: shared, c: [shared] } }, () => 'ran')).toBe('ran')
  })

  it('throws at once, not as a rejection', () => {
    expect(() => withAuditContext({ ip: 'x' }, async () => 1)).toThrow(AuditError)
  })

  it('leaves the outer context as it was', () => {
    withAuditContext({ actor: ada }, () => {
      expect(() => withAuditContext({ ip: 'x' }, () => 1)).toThrow(AuditError)
      expect(getAuditContext()).toEqual({ actor: ada })
    })
  })
})
