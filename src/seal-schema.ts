import * as z from 'zod/mini'
import type { Anchor } from './anchor.ts'
import { milliseconds } from './values/check-shape.ts'

const text = z.string().check(z.minLength(1))

export const sealSchema = z.strictObject({
  key: z.union([
    z.strictObject({ file: text }),
    z.strictObject({ environment: text }),
    z.strictObject({
      publicKey: text,
      sign: z.custom<(message: Uint8Array) => Uint8Array | PromiseLike<Uint8Array>>(
        (value) => typeof value === 'function',
        'must be a function',
      ),
    }),
  ]),
  origin: z.optional(z.string().check(z.regex(/^[^\n\r]+$/, 'must be one line'))),
  every: z._default(milliseconds, 5_000),
  formerKeys: z._default(z.array(z.string()), []),
  anchors: z._default(
    z
      .array(z.custom<Anchor>(isAnchor, 'must be an anchor: { name, publish(note, checkpoint, signal), … }'))
      .check(
        z.refine(
          (anchors) => new Set(anchors.map(({ name }) => name)).size === anchors.length,
          'two anchors have the same name: name them apart',
        ),
      ),
    [],
  ),
})

function isAnchor(value: unknown): boolean {
  const { name, publish } = (value ?? {}) as Partial<Anchor>
  const isNamed = typeof name === 'string' && name.length > 0 && name.length <= 100
  return isNamed && typeof publish === 'function'
}
