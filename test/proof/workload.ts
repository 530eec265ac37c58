import type { Prisma, PrismaClient } from '../generated/client/client.ts'

/** What the operations run on: a client, or a transaction of one. */
export type Writer = Prisma.TransactionClient

/** Numbers that depend on the seed alone (mulberry32), so that two databases get the same calls. */
export type Random = (below: number) => number

export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

type Operation = (writer: Writer, random: Random) => PromiseLike<unknown>

const postId = (random: Random) => `post-${random(6)}`
const email = (random: Random) => `user-${random(4)}@example.com`
const tagName = (random: Random) => `tag-${random(4)}`

/**
 * Operations on few rows, whose locks everyone takes in one order, parents before children, one row a table: the
 * unaudited client never deadlocks on them.
 */
export const orderly: Record<string, Operation> = {
  upsertPost: (writer, random) => {
    const id = postId(random)
    return writer.post.upsert({
      where: { id },
      create: { id, title: 'new' },
      update: { views: { increment: 1 } },
    })
  },
  updatePostWithComments: (writer, random) =>
    writer.post.update({
      where: { id: postId(random) },
      data: { views: { increment: 1 }, comments: { create: [{ text: 'one' }, { text: 'two' }] } },
    }),
  createComment: (writer, random) =>
    writer.comment.create({ data: { text: `comment ${random(100)}`, postId: postId(random) } }),
  deletePost: (writer, random) => writer.post.delete({ where: { id: postId(random) } }),
  upsertCountry: (writer, random) => {
    const code = ['TR', 'NL', 'JP'][random(3)] as string
    return writer.country.upsert({
      where: { code },
      create: { code, name: 'new' },
      update: { population: { increment: 1 } },
    })
  },
  deleteCountry: (writer, random) =>
    writer.country.deleteMany({ where: { code: ['TR', 'NL', 'JP'][random(3)] as string } }),
  stamp: (writer, random) =>
    writer.stamped.updateMany({ where: { id: random(3) }, data: { counter: { increment: 1 } } }),
  stampOrCreate: (writer, random) => {
    const id = random(3)
    return writer.stamped.upsert({ where: { id }, create: { id }, update: { counter: { increment: 1 } } })
  },
  deleteRoot: (writer, random) => writer.category.deleteMany({ where: { id: random(3) } }),
  upsertRoot: (writer, random) => {
    const id = random(3)
    return writer.category.upsert({
      where: { id },
      create: { id, name: 'root' },
      update: { name: `root ${random(9)}` },
    })
  },
  createLeaf: (writer, random) =>
    writer.category.create({
      data: { id: 1_000 + random(1_000_000_000), name: 'leaf', parentId: random(3) },
    }),
  upsertOrg: (writer, random) => {
    const id = random(2)
    const places = [2 * id, 2 * id + 1].map((place) => ({ id: place }))
    return writer.org.upsert({
      where: { id },
      create: { id, name: 'new', teams: { create: places }, projects: { create: places } },
      update: { name: `org ${random(9)}` },
    })
  },
  createTask: (writer, random) => {
    const place = random(4)
    return writer.task.create({ data: { title: `task ${random(9)}`, teamId: place, projectId: place } })
  },
  deleteOrg: (writer, random) => writer.org.deleteMany({ where: { id: random(2) } }),
}

/** As people write them: the order of locks is nobody's concern, so that they deadlock now and then, audited or not. */
export const careless: Record<string, Operation> = {
  ...orderly,
  upsertUser: (writer, random) => {
    const address = email(random)
    return writer.user.upsert({
      where: { email: address },
      create: { email: address, passwordHash: `hash ${random(9)}`, profile: { create: { bio: 'new' } } },
      update: { loginCount: { increment: 1 } },
    })
  },
  deleteUser: (writer, random) => writer.user.deleteMany({ where: { email: email(random) } }),
  writePostOfUser: (writer, random) => {
    const [id, address] = [postId(random), email(random)]
    return writer.post.update({
      where: { id },
      data: {
        author: {
          connectOrCreate: {
            where: { email: address },
            create: { email: address, name: `name ${random(9)}` },
          },
        },
        tags: {
          connectOrCreate: [tagName(random), tagName(random)].map((name) => ({
            where: { name },
            create: { name },
          })),
        },
        comments: { create: { text: 'by the author', user: { connect: { email: address } } } },
      },
    })
  },
  unlinkTags: (writer, random) =>
    writer.post.update({ where: { id: postId(random) }, data: { tags: { set: [] } } }),
  deleteTag: (writer, random) => writer.tag.deleteMany({ where: { name: tagName(random) } }),
  updateAllPosts: (writer) => writer.post.updateMany({ data: { views: { increment: 1 } } }),
  befriend: (writer, random) =>
    writer.user.update({
      where: { email: email(random) },
      data: {
        friends: { connect: { email: email(random) } },
        manager: { connect: { email: email(random) } },
      },
    }),
}

/** A slow machine is no fault: Prisma's time-outs are not what these calls are about. */
export const patient = { maxWait: 60_000, timeout: 60_000 }

/** What one turn of a writer came to: `done`, or the kind of error as the caller got it. */
export type Outcome = string

/**
 * One writer's turns: single calls, batches and interactive transactions of operations, some of which take themselves
 * back.
 *
 * @param several at most this many operations in a transaction
 * @param next called before each turn; false ends the work
 * @param outcomes where to count
 * @returns how often each outcome came
 */
export async function work(
  client: PrismaClient,
  operations: Record<string, Operation>,
  random: Random,
  several: number,
  next: () => boolean | Promise<boolean>,
  outcomes = new Map<Outcome, number>(),
): Promise<Map<Outcome, number>> {
  const choices = Object.values(operations)
  const choose = () => choices[random(choices.length)] as Operation
  while (await next()) {
    const turn = random(6)
    const count = 1 + random(several)
    const chosen = Array.from({ length: count }, choose)
    const running =
      turn < 3
        ? (chosen[0] as Operation)(client, random)
        : turn === 3
          ? client.$transaction(chosen.map((one) => one(client, random)) as Prisma.PrismaPromise<unknown>[])
          : client.$transaction(async (tx) => {
              for (const one of chosen) await one(tx, random)
              if (turn === 5) throw new Error('changed its mind')
            })
    const outcome = await Promise.resolve(running).then(() => 'done', kindOf)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  return outcomes
}

interface ClientError {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly cause?: { readonly originalCode?: string }
  readonly meta?: { readonly driverAdapterError?: { readonly cause?: { readonly originalCode?: string } } }
}

/** Prisma's code and the SQLSTATE, where there are any. */
export function kindOf(caught: unknown): Outcome {
  const { name, message, code, cause, meta } = caught as ClientError
  const state = meta?.driverAdapterError?.cause?.originalCode ?? cause?.originalCode
  if (code === undefined && state === undefined) return `${name}: ${message}`
  return [code, state].filter((one) => one !== undefined).join(' ')
}
