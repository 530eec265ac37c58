import type { ResultShape } from '../log/call.ts'
import { resourceOf } from '../models/data-model.ts'
import { type ClientInternals, clientWithRequests } from './internals.ts'
import { replaceOnce } from './replace-once.ts'

/**
 * Lets the query hook see as `__internalParams.caller` which client a call came through: only that one knows what
 * `$extends` adds to results.
 *
 * @throws AuditError `AUDIT_UNSUPPORTED_CLIENT` when Prisma handles calls differently
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

/** The fields that a client returns besides those that the arguments ask for. */
export function resultShapeOf(client: ClientInternals): ResultShape {
  return {
    omitted: (model) => client._globalOmit?.[resourceOf(model)] ?? {},
    computed: (model) => Object.values(client._extensions?.getAllComputedFields?.(model) ?? {}),
  }
}
