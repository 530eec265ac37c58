import * as z from 'zod/mini'
import type { Sink } from './sink.ts'

/** Sinks, each with a name of its own. */
export const sinksSchema = z
  .array(z.custom<Sink>(isSink, 'must be a sink: { name, write(batch), … }'))
  .check(
    z.refine(
      (sinks) => new Set(sinks.map(({ name }) => name)).size === sinks.length,
      'two sinks have the same name, and each needs its own place in the log: name them apart',
    ),
  )

function isSink(value: unknown): boolean {
  const { name, write } = (value ?? {}) as Partial<Sink>
  const isNamed = typeof name === 'string' && name.length > 0 && name.length <= 100
  return isNamed && typeof write === 'function'
}
