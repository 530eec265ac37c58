import { AuditError } from './errors.ts'
import { version } from './version.ts'

/**
 * The form of what is kept. It goes up when what one version of this package keeps is no longer what another expects, and
 * only then: versions with the same form work together.
 */
const form = 1

interface Kept {
  readonly form: number
  readonly values: Map<string, unknown>
}

const place: unique symbol = Symbol.for('prisma-extension-audit/1') as never

/**
 * What a process has one of for everybody, however many copies of this package are loaded: frameworks bundle each route by itself, hot
 * reload and test runners load modules anew, and a monorepo may install two versions. The context that one copy opens has to
 * be found by the other, whose client writes.
 *
 * @param name the same in every copy
 * @param create called by the first copy that asks
 * @throws AuditError `AUDIT_VERSIONS_DIFFER`
 */
export function onePerProcess<Value>(name: string, create: () => Value): Value {
  const global = globalThis as { [place]?: Kept }
  global[place] ??= { form, values: new Map() }
  const kept = global[place]
  if (kept.form !== form) {
    throw new AuditError(
      'AUDIT_VERSIONS_DIFFER',
      'Two versions of prisma-extension-audit that can\'t work together are loaded in this process: contexts of one would be lost on the other\'s clients. "npm ls prisma-extension-audit" shows where they come from. Install one version, and restart processes that were started before the upgrade.',
    )
  }
  if (!kept.values.has(name)) kept.values.set(name, create())
  return kept.values.get(name) as Value
}

/**
 * What a process has one of for all copies of this version: what they put into Prisma's objects, and what goes with it.
 * Another version puts its own beside it.
 */
export function onePerVersion<Value>(name: string, create: () => Value): Value {
  return onePerProcess(`${name} of ${version}`, create)
}
