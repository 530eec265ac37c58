import { type CaptureScope, currentScope, runInScope, runOutsideScope } from '../capture/scope.ts'
import { AuditError } from '../errors.ts'

/** Prisma's data loader, as far as it is touched: `client._requestHandler.dataloader`. */
interface DataLoader {
  request(request: Request): Promise<unknown>
  readonly options: {
    singleLoader(request: Request): Promise<unknown>
    batchLoader(requests: Request[]): Promise<unknown>
    batchBy(request: Request): string | undefined
  }
}

interface Request {
  readonly transaction?: { readonly kind?: string }
}

export interface RequestHandlerLike {
  readonly dataloader?: DataLoader
}

const kept = new WeakSet<object>()

/**
 * Prisma collects the requests of batches and of interactive transactions and sends them off in one tick, in the
 * async context of whoever came first: another user's read, say. So each request remembers the scope that it came in,
 * and is sent off in that one. The client and all that `$extends` made of it share one handler.
 *
 * @throws AuditError `AUDIT_UNSUPPORTED_CLIENT` when Prisma is built in another way
 */
export function keepScopes(handler: RequestHandlerLike | undefined): void {
  const loader = handler?.dataloader
  const { singleLoader, batchLoader, batchBy } = loader?.options ?? {}
  if (!loader?.request || !singleLoader || !batchLoader || !batchBy) {
    throw new AuditError(
      'AUDIT_UNSUPPORTED_CLIENT',
      'The client sends its requests in a way that the audit does not know, so entries could get the wrong actor. Use a release of Prisma 7 that this version of prisma-extension-audit supports, see its README.',
    )
  }
  if (kept.has(loader)) return
  kept.add(loader)

  const scopes = new WeakMap<object, CaptureScope>()
  const request = loader.request.bind(loader)
  loader.request = (params) => {
    const scope = currentScope()
    if (scope?.kind === 'capture') scopes.set(params, scope)
    return request(params)
  }
  Object.assign(loader.options, {
    singleLoader: (params: Request) =>
      // the probe asks with a raw query, which is never collected, so it is always in its own context
      currentScope()?.kind === 'probe'
        ? singleLoader(params)
        : inScope(scopes.get(params), () => singleLoader(params)),
    batchLoader: (all: Request[]) => inScopes(scopes, all, () => batchLoader(all)),
    batchBy: (params: Request) => {
      const group = batchBy(params)
      const scope = scopes.get(params)
      // calls of one transaction that are made in different contexts at once must not become one request
      return scope && params.transaction?.kind === 'itx' ? `${group} ${contextKey(scope)}` : group
    },
  })
}

function inScope<T>(scope: CaptureScope | undefined, send: () => Promise<T>): Promise<T> {
  return scope ? runInScope(scope, send) : runOutsideScope(send)
}

/** Sends requests off in the scope that they came in; several have one context, and maybe several operations. */
async function inScopes<T>(
  scopes: WeakMap<object, CaptureScope>,
  requests: readonly Request[],
  send: () => Promise<T>,
): Promise<T> {
  const found = [...new Set(requests.flatMap((request) => scopes.get(request) ?? []))]
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

const numbers = new WeakMap<object, number>()
let configurations = 0

function contextKey({ configuration, context, revertOf }: CaptureScope): string {
  const number = numbers.get(configuration) ?? ++configurations
  numbers.set(configuration, number)
  return `${number} ${revertOf} ${JSON.stringify(context)}`
}
