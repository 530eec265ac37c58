import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import { requestContext } from '../../src/http/request-context.ts'
import { type AuditContext, getAuditContext, withAuditContext } from '../../src/index.ts'

function contextOf(headers: Record<string, string>, ip?: string): AuditContext {
  return requestContext({}, { header: (name) => headers[name], ip }).source()
}

describe('the address of a request', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:203.0.113.7', '203.0.113.7'],
    ['::ffff:cb00:7107', '::ffff:cb00:7107'],
    ['fe80::1%eth0', 'fe80::1'],
    ['', undefined],
    ['203.0.113.7:4711', undefined],
    ['unknown', undefined],
    ['@', undefined],
    [undefined, undefined],
  ])('%j is recorded as %j', (given, recorded) => {
    expect(contextOf({}, given).ip).toBe(recorded)
    // what it gives is always something that the log can store
    expect(() => withAuditContext(contextOf({}, given), () => {})).not.toThrow()
  })
})

describe('the trace of a request', () => {
  const received = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
  afterEach(() => context.disable())

  it("is OpenTelemetry's active one, where there is one", () => {
    const active = '11111111111111111111111111111111'
    const span = trace.wrapSpanContext({ traceId: active, spanId: '2222222222222222', traceFlags: 1 })
    const current = trace.setSpan(ROOT_CONTEXT, span)
    context.setGlobalContextManager({
      active: () => current,
      with: (_context, fn, thisArg, ...args) => fn.apply(thisArg as never, args),
      bind: (_context, target) => target,
      enable() {
        return this
      },
      disable() {
        return this
      },
    })
    expect(contextOf(received).metadata).toEqual({ traceId: active })
  })

  it('is else the one that came with the request', () => {
    expect(contextOf(received).metadata).toEqual({ traceId: '0af7651916cd43dd8448eb211c80319c' })
    expect(contextOf({}).metadata).toBeUndefined()
  })
})

describe('what the options tell', () => {
  it('is asked each time, and merged with what the request told', () => {
    const request = { user: undefined as string | undefined }
    const { source } = requestContext(
      request,
      {
        header: (name) => ({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })[name],
        ip: undefined,
      },
      {
        actor: ({ user }) => (user === undefined ? undefined : { id: user, type: 'user' }),
        metadata: () => ({ path: '/' }),
      },
    )
    withAuditContext(source, () => {
      expect(getAuditContext()?.actor).toBeUndefined()
      request.user = 'ada'
      expect(getAuditContext()?.actor).toEqual({ id: 'ada', type: 'user' })
      expect(getAuditContext()?.metadata).toEqual({ path: '/', traceId: '0af7651916cd43dd8448eb211c80319c' })
    })
  })
})
