import type { ResultShape } from '../log/call.ts'
import { resourceOf } from '../models/data-model.ts'
import { type ClientInternals, clientWithRequests } from './internals.ts'
import { replaceOnce } from './replace-once.ts'

/**
 * Lets the query hook see as `__internalParams.caller` which client a call came through: what `$extends` adds to
 * results is known to that one only.
 *
 * @throws AuditError `AUDIT_UNSUPPORTED_CLIENT` when Prisma handles calls in another way
 */
export function passCaller(client: ClientInternals): void {
  replaceOnce(
    clientWithRequests(client),
    '_request',
    (request) =>
      function (this: ClientInternals, parameters) {
        return request.call(this, { ...parameters, caller: this })
      },
  )
}

/** Which fields a client gives besides those that the arguments ask for. */
export function resultShapeOf(client: ClientInternals): ResultShape {
  return {
    omitted: (model) => client._globalOmit?.[resourceOf(model)] ?? {},
    computed: (model) => Object.values(client._extensions?.getAllComputedFields?.(model) ?? {}),
  }
}
