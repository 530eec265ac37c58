import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { getAuditContext } from '../../src/context/context.ts'
import { resumeRequest, runRequest } from '../../src/http/node-request.ts'

/** As an event of the connection: in nobody's context. */
const outside = AsyncLocalStorage.snapshot()
const nothing = () => {}

/** What a listener of the emitter hears, and the context that it hears it in. */
function listen(emitter: EventEmitter): unknown[] {
  const heard: unknown[] = []
  emitter.on('data', (chunk) => heard.push([chunk, getAuditContext()]))
  return heard
}

/** Another library that wants to know what is emitted. */
function spyOn(emitter: EventEmitter): unknown[] {
  const seen: unknown[] = []
  const { emit } = emitter
  emitter.emit = function (...parameters) {
    seen.push(parameters[0])
    return emit.apply(this, parameters)
  }
  return seen
}

describe('the context of a request', () => {
  it('is that of its listeners, and emit answers as before', () => {
    const request = new EventEmitter()
    runRequest({ requestId: 'one' }, [request], nothing)
    const heard = listen(request)
    expect([outside(() => request.emit('data', 1)), outside(() => request.emit('end'))]).toEqual([
      true,
      false,
    ])
    expect(heard).toEqual([[1, { requestId: 'one' }]])
  })

  it('is that of the inner middleware, where there are two', () => {
    const request = new EventEmitter()
    runRequest({ requestId: 'one', userAgent: 'curl' }, [request], () =>
      runRequest({ requestId: 'two' }, [request], nothing),
    )
    const heard = listen(request)
    outside(() => request.emit('data', 1))
    expect(heard).toEqual([[1, { requestId: 'two', userAgent: 'curl' }]])
  })

  it('leaves what another library made of emit, before it, between two middlewares and after', () => {
    const request = new EventEmitter()
    const before = spyOn(request)
    runRequest({ requestId: 'one' }, [request], nothing)
    const between = spyOn(request)
    runRequest({ requestId: 'two' }, [request], nothing)
    const after = spyOn(request)
    const heard = listen(request)
    outside(() => request.emit('data', 1))
    expect(heard).toEqual([[1, { requestId: 'two' }]])
    for (const seen of [before, between, after]) expect(seen).toContain('data')
  })

  it('throws what a listener throws', () => {
    const request = new EventEmitter()
    runRequest({ requestId: 'one' }, [request], nothing)
    request.on('data', () => {
      throw new Error('no')
    })
    expect(() => outside(() => request.emit('data', 1))).toThrow('no')
  })

  it('can be gone back to, and a request that has none is left alone', () => {
    const request = new EventEmitter()
    runRequest({ requestId: 'one' }, [request], nothing)
    const contexts: unknown[] = []
    const next = () => contexts.push(getAuditContext())
    outside(() => resumeRequest(request, next))
    outside(() => resumeRequest(new EventEmitter(), next))
    expect(contexts).toEqual([{ requestId: 'one' }, undefined])
  })
})
