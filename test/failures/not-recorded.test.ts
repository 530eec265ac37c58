import { describe, expect, it } from 'vitest'
import { createFailing } from './failing.ts'

const { prisma, audited, failing } = await createFailing()

describe('nothing is recorded', () => {
  it.each<[string, () => PromiseLike<unknown>]>([
    ['when Prisma refuses the arguments', () => prisma.user.create({ data: { nope: 1 } as never })],
    ['when a read fails', () => prisma.user.findUniqueOrThrow({ where: { id: 404 } })],
    [
      'when a read fails in a $transaction([…])',
      () =>
        prisma.$transaction([prisma.user.findUniqueOrThrow({ where: { id: 404 } }), prisma.tag.deleteMany()]),
    ],
    [
      'when another extension refuses the call',
      () =>
        prisma
          .$extends({
            query: {
              tag: {
                create() {
                  throw new Error('Not allowed')
                },
              },
            },
          })
          .tag.create({ data: { name: 'x' } }),
    ],
    [
      'of a model that the options exclude',
      () => audited({ models: { exclude: ['Tag'] } }).tag.delete({ where: { id: 404 } }),
    ],
    [
      'without an actor that is required',
      () => audited({ requireActor: true }).tag.create({ data: { name: 'x' } }),
    ],
    [
      'of a statement that uncapturable refuses',
      () => audited({ uncapturable: 'throw' }).$executeRaw`TRUNCATE "Tag"`,
    ],
    ['with failures: false', () => audited({ failures: false }).tag.delete({ where: { id: 404 } })],
    [
      'of a transaction that the application itself gives up',
      () =>
        prisma.$transaction(async (tx) => {
          await tx.tag.create({ data: { name: 'x' } })
          throw new Error('changed my mind')
        }),
    ],
  ])('%s', async (_, work) => {
    expect((await failing(work)).entries).toEqual([])
  })
})
