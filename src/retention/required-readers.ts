import { sealingConsumer } from '../seal/append.ts'
import type { Sink } from '../sink.ts'
import { consumerOfSink } from '../sinks/ship.ts'

/** Who has to have read what leaves, by the names that the database has for them. */
export function requiredReaders({
  sinks = [],
  seal,
}: {
  readonly sinks?: readonly Sink[] | undefined
  readonly seal?: object | undefined
}): string[] {
  return [...sinks.map(consumerOfSink), ...(seal ? [sealingConsumer] : [])]
}
