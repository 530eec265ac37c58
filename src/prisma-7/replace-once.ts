import { onePerVersion } from '../one-per-process.ts'

/** The methods that were replaced, by object. */
const replaced = onePerVersion('replaced methods', () => new WeakMap<object, Set<PropertyKey>>())

/**
 * Replaces a method of one of Prisma's objects. Clients share adapter factories, data loaders and the client below all
 * extensions. However many clients are audited, a method is replaced once.
 *
 * @param replacement gets the original method
 */
export function replaceOnce<Target extends object, Method extends keyof Target>(
  target: Target,
  method: Method,
  replacement: (original: Target[Method]) => Target[Method],
): void {
  const methods = replaced.get(target) ?? new Set()
  if (methods.has(method)) return
  replaced.set(target, methods.add(method))
  target[method] = replacement(target[method])
}
