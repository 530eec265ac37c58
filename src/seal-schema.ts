import * as z from 'zod/mini'

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
  every: z._default(z.number().check(z.minimum(10), z.maximum(2_147_483_647)), 5_000),
  formerKeys: z._default(z.array(z.string()), []),
})
