import { type CaptureScope, currentScope, runInScope, runOutsideScope, type Scope } from '../capture/scope.ts'
import { type ClientInternals, dataLoaderOf, type LoaderRequest } from './internals.ts'
import { replaceOnce } from './replace-once.ts'

/** The scopes that requests were made in. */
const requestScopes = new WeakMap<LoaderRequest, Scope>()

/**
 * Prisma collects the requests of batches and of interactive transactions and sends them in one tick, in the async
 * context of the first: another user's read, say. So each request remembers the scope that it was made in, and is sent
 * in that one. The client and all that `$extends` made of it share one data loader.
 *
 * @throws AuditError `AUDIT_UNSUPPORTED_CLIENT` when Prisma sends requests differently
 */
export function keepScopes(client: ClientInternals): void {
  const loader = dataLoaderOf(client)
  replaceOnce(loader, 'request', (request) => (params) => {
    const scope = currentScope()
    if (scope) requestScopes.set(params, scope)
    return request.call(loader, params)
  })
  const { options } = loader
  replaceOnce(
    options,
    'singleLoader',
    (send) => (request) => inScope(requestScopes.get(request), () => send(request)),
  )
  replaceOnce(options, 'batchLoader', (send) => (requests) => inScopes(requests, () => send(requests)))
  replaceOnce(options, 'batchBy', (groupOf) => (request) => {
    const group = groupOf(request)
    const scope = captureScopeOf(request)
    // calls of one transaction that are made in different contexts at once must not become one request
    return scope && request.transaction?.kind === 'itx' ? `${group} ${contextKey(scope)}` : group
  })
}

function captureScopeOf(request: LoaderRequest): CaptureScope | undefined {
  const scope = requestScopes.get(request)
  return scope?.kind === 'capture' ? scope : undefined
}

function inScope<T>(scope: Scope | undefined, send: () => Promise<T>): Promise<T> {
  return scope ? runInScope(scope, send) : runOutsideScope(send)
}

/** Sends requests in the scope that they were made in; several share one context, but maybe not one operation. */
async function inScopes<T>(requests: readonly LoaderRequest[], send: () => Promise<T>): Promise<T> {
  const found = [...new Set(requests.flatMap((request) => captureScopeOf(request) ?? []))]
  const [scope] = found
  if (!scope || found.length === 1) return inScope(scope, send)
  const joint: CaptureScope = { ...scope, operations: found.flatMap((one) => one.operations) }
  try {
    return await runInScope(joint, send)
  } finally {
    for (const one of found) {
      one.error = joint.error
      if (joint.failedToWrite !== undefined) one.failedToWrite = joint.failedToWrite
    }
  }
}

/** One transaction belongs to one audited client, so its calls differ only in their contexts. */
function contextKey({ context, revertOf }: CaptureScope): string {
  return `${revertOf} ${JSON.stringify(context)}`
}
