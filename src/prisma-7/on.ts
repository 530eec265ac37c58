import type { ClientInternals } from './internals.ts'

/** `$extends` removes `$on`, but the audited client keeps what the client had. */
export function withOn(extended: object, original: ClientInternals): object {
  if (typeof original.$on !== 'function') return extended
  const client: object = Object.create(extended, {
    $on: {
      value: (...parameters: unknown[]) => {
        original.$on?.(...parameters)
        return client
      },
    },
  })
  return client
}
