import { PrismaPg } from '@prisma/adapter-pg'
import { describe, expectTypeOf, it } from 'vitest'
import {
  type Audit,
  type AuditContext,
  type AuditEntry,
  type AuditError,
  type AuditErrorCode,
  type AuditEvent,
  type Audited,
  type AuditOptions,
  type AuditPage,
  describeEntry,
  diffLines,
  getAuditContext,
  type RevertConflict,
  type RevertOptions,
  type SearchFilter,
  type UnwrittenEntry,
  withAudit,
  withAuditContext,
} from '../src/index.ts'
import { type Prisma, PrismaClient } from './generated/client/client.ts'

// `npx tsc --noEmit` checks this file; the clients never connect
const adapter = new PrismaPg({ connectionString: 'postgresql://nobody@127.0.0.1:1/none' })
const client = new PrismaClient({ adapter })

type Options = AuditOptions<PrismaClient>
type ElementOf<List> = List extends (infer Element)[] ? Element : never

describe('withAudit', () => {
  const prisma = withAudit(new PrismaClient({ adapter }))

  it('gives the type of the client, and $audit', () => {
    expectTypeOf(prisma).toExtend<PrismaClient>()
    expectTypeOf(prisma).toEqualTypeOf<Audited<PrismaClient>>()
    expectTypeOf(prisma.$audit).toExtend<Audit>()
    expectTypeOf(prisma.$audit.verify).toEqualTypeOf<() => Promise<void>>()
    const asBefore: PrismaClient = prisma
    const inService = (given: PrismaClient) => given.user.count()
    expectTypeOf(inService).toBeCallableWith(asBefore)
    expectTypeOf(inService).toBeCallableWith(prisma)
  })

  it('keeps the results of calls as they are', () => {
    const all = () => prisma.user.findMany()
    expectTypeOf(all).returns.resolves.toEqualTypeOf<Prisma.UserModel[]>()
    const selected = () => prisma.user.findFirstOrThrow({ select: { id: true } })
    expectTypeOf(selected).returns.resolves.toEqualTypeOf<{ id: number }>()
    const included = () => prisma.post.findFirstOrThrow({ include: { tags: true } })
    expectTypeOf<Awaited<ReturnType<typeof included>>['tags']>().toEqualTypeOf<Prisma.TagModel[]>()
    const batch = () => prisma.$transaction([prisma.user.count(), prisma.tag.deleteMany()])
    expectTypeOf(batch).returns.resolves.toEqualTypeOf<[number, Prisma.BatchPayload]>()
    const interactive = () => prisma.$transaction(async (tx) => tx.tag.count())
    expectTypeOf(interactive).returns.resolves.toEqualTypeOf<number>()
    const raw = () => prisma.$queryRaw<{ id: number }[]>`SELECT 1 AS id`
    expectTypeOf(raw).returns.resolves.toEqualTypeOf<{ id: number }[]>()
  })

  it('keeps what extensions before it added', () => {
    const extended = withAudit(
      client.$extends({
        result: { user: { shout: { needs: { name: true }, compute: () => 'A' } } },
        client: { hello: () => 'world' },
      }),
    )
    expectTypeOf(extended.hello).returns.toExtend<string>()
    const first = () => extended.user.findFirstOrThrow()
    expectTypeOf(first).returns.resolves.toHaveProperty('shout').toEqualTypeOf<string>()
    expectTypeOf(extended.$audit).toExtend<Audit>()
  })

  it('keeps $audit where extensions come after it', () => {
    const extended = prisma.$extends({ client: { hello: () => 'world' } })
    expectTypeOf(extended.hello).returns.toExtend<string>()
    expectTypeOf(extended.$audit).toExtend<Audit>()
  })

  it('keeps the option omit of the client', () => {
    const omitting = withAudit(new PrismaClient({ adapter, omit: { user: { passwordHash: true } } }))
    const first = () => omitting.user.findFirstOrThrow()
    expectTypeOf(first).returns.resolves.not.toHaveProperty('passwordHash')
    expectTypeOf(first).returns.resolves.toHaveProperty('email')
  })

  it('takes only a client', () => {
    // @ts-expect-error not a client
    const wrong = () => withAudit({})
    // @ts-expect-error an adapter is not a client
    const adapterInstead = () => withAudit(adapter)
    expectTypeOf(wrong).toBeFunction()
    expectTypeOf(adapterInstead).toBeFunction()
  })
})

describe('options', () => {
  it('know the models of the client', () => {
    type Model = ElementOf<NonNullable<Options['reads']>>
    expectTypeOf<Model>().toEqualTypeOf<Prisma.ModelName>()
    expectTypeOf<'User'>().toExtend<Model>()
    expectTypeOf<'user'>().not.toExtend<Model>()
    expectTypeOf<'users'>().not.toExtend<Model>()
    expectTypeOf<string>().not.toExtend<Model>()
  })

  it('know the scalar fields of each model', () => {
    type UserField = ElementOf<NonNullable<Options['redact']>['User']>
    expectTypeOf<UserField>().toEqualTypeOf<Prisma.UserScalarFieldEnum>()
    expectTypeOf<'passwordHash'>().toExtend<UserField>()
    expectTypeOf<'password_hash'>().not.toExtend<UserField>()
    expectTypeOf<'posts'>().not.toExtend<UserField>()
    expectTypeOf<ElementOf<NonNullable<Options['ignore']>['Tag']>>().toEqualTypeOf<'id' | 'name'>()
    type AnyField = ElementOf<NonNullable<Options['redact']>['*']>
    expectTypeOf<'passwordHash' | 'title' | 'stampedAt'>().toExtend<AnyField>()
    expectTypeOf<'nothing'>().not.toExtend<AnyField>()
    expectTypeOf<string>().not.toExtend<AnyField>()
  })

  it('are checked where withAudit is called', () => {
    const good = () =>
      withAudit(client, {
        models: { include: ['User', 'Post'] },
        redact: { User: ['name', 'email'], Post: ['title'], '*': ['text'] },
        ignore: { '*': ['updatedAt'], Stamped: ['stampedAt'] },
        reads: ['User'],
        redactSecrets: true,
        snapshot: 'changed',
        failures: false,
        actor: { id: 'x', type: 'system' },
        requireActor: true,
        context: () => ({ requestId: 'x' }),
        table: 'audit.log',
        uncapturable: 'throw',
        onError: (error) => expectTypeOf(error).toEqualTypeOf<AuditError>(),
      })
    const bad = () => [
      // @ts-expect-error no such model
      withAudit(client, { models: { include: ['Usr'] } }),
      // @ts-expect-error the property, not the model
      withAudit(client, { models: { exclude: ['user'] } }),
      // @ts-expect-error no such model
      withAudit(client, { redact: { Usr: ['name'] } }),
      // @ts-expect-error no such field
      withAudit(client, { redact: { User: ['nam'] } }),
      // @ts-expect-error another model's field
      withAudit(client, { redact: { User: ['title'] } }),
      // @ts-expect-error a relation
      withAudit(client, { redact: { User: ['posts'] } }),
      // @ts-expect-error the column, not the field
      withAudit(client, { ignore: { User: ['password_hash'] } }),
      // @ts-expect-error a field of no model
      withAudit(client, { ignore: { '*': ['nothing'] } }),
      // @ts-expect-error no such model
      withAudit(client, { reads: ['Nobody'] }),
      // @ts-expect-error no such snapshot
      withAudit(client, { snapshot: 'diff' }),
      // @ts-expect-error no such choice
      withAudit(client, { uncapturable: 'ignore' }),
      // @ts-expect-error no such actor type
      withAudit(client, { actor: { id: 'x', type: 'robot' } }),
      // @ts-expect-error no such option
      withAudit(client, { tabel: 'x' }),
    ]
    expectTypeOf(good).returns.toExtend<PrismaClient>()
    expectTypeOf(bad).toBeFunction()
  })

  it('know the models of an extended client too', () => {
    const extended = client.$extends({ client: { hello: () => 'world' } })
    type Model = ElementOf<NonNullable<AuditOptions<typeof extended>['reads']>>
    expectTypeOf<Model>().toEqualTypeOf<Prisma.ModelName>()
    type TagField = ElementOf<NonNullable<AuditOptions<typeof extended>['redact']>['Tag']>
    expectTypeOf<TagField>().toEqualTypeOf<'id' | 'name'>()
    const bad = () =>
      // @ts-expect-error no such field
      withAudit(extended, { redact: { Tag: ['nam'] } })
    expectTypeOf(bad).toBeFunction()
  })

  it('without a client are names as text', () => {
    const options: AuditOptions = { redact: { Whatever: ['x'] }, models: { include: ['Whatever'] } }
    expectTypeOf(options.reads).toEqualTypeOf<string[] | undefined>()
  })
})

describe('$audit', () => {
  const { $audit: audit } = withAudit(client)

  it('knows the models of the client, and what names a record of each', () => {
    const good = () => [
      audit.history('User', 42),
      audit.history('User', { id: 42 }, { limit: 10, cursor: 'x' }),
      audit.accesses('Shelf', { warehouseCode: 'a', number: 7 }, { limit: 10 }),
      audit.history('Profile', 'id'),
      audit.history('Country', { code: 'TR' }),
      audit.history('Everything', 42n),
      audit.history('Shelf', { warehouseCode: 'a', number: 7 }),
      audit.history('Shelf', { warehouseCode_number: { warehouseCode: 'a', number: 7 } }),
      audit.history('User', {} as Prisma.UserModel),
      audit.history('Shelf', {} as Prisma.ShelfModel),
    ]
    const bad = () => [
      // @ts-expect-error no such model
      audit.history('Usr', 42),
      // @ts-expect-error the property, not the model
      audit.history('user', 42),
      // @ts-expect-error no id
      audit.history('User'),
      // @ts-expect-error the id is a number
      audit.history('User', '42'),
      // @ts-expect-error unique, but not the id
      audit.history('User', { email: 'ada@example.com' }),
      // @ts-expect-error another model's key
      audit.history('User', { code: 'TR' }),
      // @ts-expect-error half of a key
      audit.history('Shelf', { number: 7 }),
      // @ts-expect-error a composite key is no value
      audit.history('Shelf', 7),
      // @ts-expect-error the wrong way round
      audit.history('Shelf', { warehouseCode: 7, number: 'a' }),
      // @ts-expect-error no such option
      audit.history('User', 42, { offset: 10 }),
    ]
    type Model = Parameters<typeof audit.history>[0]
    expectTypeOf<Model>().toEqualTypeOf<Prisma.ModelName>()
    expectTypeOf(good).returns.items.resolves.toEqualTypeOf<AuditPage>()
    expectTypeOf(bad).toBeFunction()
  })

  it('knows them where extensions came before it and after it', () => {
    const extended = withAudit(client.$extends({ client: { hello: () => 'world' } }))
    expectTypeOf(extended.$audit.history<'Tag'>)
      .parameter(1)
      .toEqualTypeOf<number | { id: number }>()
    const after = withAudit(client).$extends({ client: { hello: () => 'world' } })
    expectTypeOf(after.$audit.history<'Tag'>)
      .parameter(1)
      .toEqualTypeOf<number | { id: number }>()
    const inTransaction = () =>
      withAudit(client).$transaction(async (tx) => (await tx.$audit.history('Tag', 1)).entries)
    expectTypeOf(inTransaction).returns.resolves.toEqualTypeOf<AuditEntry[]>()
  })

  it('takes filters with known keys', () => {
    const filter: SearchFilter = { resource: 'Tag' }
    const good = () => [
      audit.search({}),
      audit.search(filter, { limit: 10 }),
      audit.search({ action: ['user.*', '*.export'], actor: { type: 'api_key' }, resource: 'Tag' }),
      audit.search({ resource: { type: 'OrderOfAnEvent', id: 'x' }, transactionId: 7n, from: new Date() }),
      audit.failedLogins({ since: new Date() }),
      audit.exports(),
      audit.transaction(7n),
      audit.activity('ada', { cursor: undefined }),
    ]
    const bad = () => [
      // @ts-expect-error no such key
      audit.search({ acton: 'x' }),
      // @ts-expect-error no such outcome
      audit.search({ outcome: 'maybe' }),
      // @ts-expect-error no such actor type
      audit.search({ actor: { type: 'robot' } }),
      // @ts-expect-error a resource needs a type
      audit.search({ resource: { id: 7 } }),
      // @ts-expect-error since when?
      audit.failedLogins({}),
      // @ts-expect-error ids of actors are text
      audit.activity(7),
    ]
    expectTypeOf(good).returns.items.resolves.toEqualTypeOf<AuditPage>()
    expectTypeOf(audit.stream).returns.toEqualTypeOf<AsyncIterable<AuditEntry>>()
    expectTypeOf(bad).toBeFunction()
  })

  it('of any client takes names as text', () => {
    const history = (any: Audit) => any.history('Whatever', { a: 1, b: 2 })
    expectTypeOf(history).toBeCallableWith(audit)
  })

  it('gives entries that read well', () => {
    expectTypeOf(diffLines).toEqualTypeOf<(entry: AuditEntry) => string[]>()
    expectTypeOf(describeEntry).toEqualTypeOf<(entry: AuditEntry) => string>()
  })
})

describe('contexts', () => {
  it('withAuditContext gives what its function gives, a promise for anything to wait for', () => {
    const context: AuditContext = { actor: { id: 'x', type: 'user' } }
    expectTypeOf(withAuditContext(context, () => 42)).toEqualTypeOf<number>()
    expectTypeOf(withAuditContext(context, () => 'x' as string | undefined)).toEqualTypeOf<
      string | undefined
    >()
    expectTypeOf(withAuditContext(context, () => {})).toEqualTypeOf<void>()
    expectTypeOf(withAuditContext(context, async () => 42)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(withAuditContext(context, async () => {})).toEqualTypeOf<Promise<void>>()
    const prismaCall = () => withAuditContext(context, () => client.tag.findMany())
    expectTypeOf(prismaCall).returns.toEqualTypeOf<Promise<Prisma.TagModel[]>>()
  })

  it('getAuditContext gives a context or nothing', () => {
    expectTypeOf(getAuditContext()).toEqualTypeOf<AuditContext | undefined>()
  })

  it('have known fields only', () => {
    const bad = () => [
      // @ts-expect-error no such field
      withAuditContext({ user: 'x' }, () => 1),
      // @ts-expect-error no such actor type
      withAuditContext({ actor: { id: 'x', type: 'robot' } }, () => 1),
      // @ts-expect-error an actor needs a type
      withAuditContext({ actor: { id: 'x' } }, () => 1),
      // @ts-expect-error ids are text
      withAuditContext({ actor: { id: 7, type: 'user' } }, () => 1),
      // @ts-expect-error metadata is an object
      withAuditContext({ metadata: 'x' }, () => 1),
    ]
    expectTypeOf(bad).toBeFunction()
  })

  it('take undefined where a value is not known, as request handlers have it', () => {
    const header = undefined as string | undefined
    expectTypeOf<{ requestId: typeof header }>().toExtend<AuditContext>()
    expectTypeOf<{ actor: undefined }>().toExtend<AuditContext>()
  })
})

describe('events', () => {
  const { $audit } = withAudit(new PrismaClient({ adapter }))

  it('give the stored entry, a queued one nothing', () => {
    const event: AuditEvent = { action: 'report.export' }
    expectTypeOf($audit.record(event)).toEqualTypeOf<Promise<AuditEntry>>()
    expectTypeOf($audit.record(event, {})).toEqualTypeOf<Promise<AuditEntry>>()
    expectTypeOf($audit.record(event, { queue: true })).toEqualTypeOf<Promise<void>>()
    expectTypeOf($audit.logLogin).returns.toEqualTypeOf<Promise<AuditEntry>>()
    expectTypeOf($audit.logDataAccess).returns.toEqualTypeOf<Promise<AuditEntry>>()
    expectTypeOf($audit.logDataChange).returns.toEqualTypeOf<Promise<AuditEntry>>()
    expectTypeOf($audit.logExport).returns.toEqualTypeOf<Promise<AuditEntry>>()
    expectTypeOf($audit.flush).toEqualTypeOf<() => Promise<void>>()
  })

  it('say what happened, and who and where as a context does', () => {
    expectTypeOf<{
      action: 'report.export'
      actor: { id: 'x'; type: 'api_key' }
      resource: { type: 'report'; id: 42n }
      outcome: 'failure'
      reason: 'too large'
      details: { rows: bigint; at: Date }
      requestId: string | undefined
    }>().toExtend<AuditEvent>()
    const bad = () => [
      // @ts-expect-error an event has an action
      $audit.record({}),
      // @ts-expect-error no such outcome
      $audit.record({ action: 'a.b', outcome: 'maybe' }),
      // @ts-expect-error a resource has a type
      $audit.record({ action: 'a.b', resource: { id: 'x' } }),
      // @ts-expect-error details have names
      $audit.record({ action: 'a.b', details: 'text' }),
      // @ts-expect-error no such field
      $audit.record({ action: 'a.b', tenant: 'x' }),
      // @ts-expect-error no such option
      $audit.record({ action: 'a.b' }, { later: true }),
      // @ts-expect-error a record is an object
      $audit.logDataChange('ada', 'user', 1, 'update', { after: 'x' }),
      // @ts-expect-error no such side
      $audit.logDataChange('ada', 'user', 1, 'update', { previous: {} }),
      // @ts-expect-error whether it succeeded
      $audit.logLogin('ada'),
    ]
    expectTypeOf(bad).toBeFunction()
  })

  it('take ids as the client has them, and records as it gives them', () => {
    const good = async (user: Prisma.UserModel) => [
      $audit.logLogin(user.id, true),
      $audit.logDataAccess(user.id, 'User', 7n),
      $audit.logDataChange(user.id, 'User', user.id, 'update', { before: user, after: user }),
    ]
    expectTypeOf(good).parameters.toEqualTypeOf<[Prisma.UserModel]>()
  })

  it('can be recorded in a transaction', () => {
    const work = () => withAudit(client).$transaction((tx) => tx.$audit.record({ action: 'a.b' }))
    expectTypeOf(work).returns.toEqualTypeOf<Promise<AuditEntry>>()
  })
})

describe('errors', () => {
  it('have a code to switch on', () => {
    expectTypeOf<AuditError>().toExtend<Error>()
    expectTypeOf<AuditError['code']>().toEqualTypeOf<AuditErrorCode>()
    expectTypeOf<'AUDIT_ACTOR_REQUIRED'>().toExtend<AuditErrorCode>()
    expectTypeOf<AuditError['entry']>().toEqualTypeOf<UnwrittenEntry | undefined>()
    expectTypeOf<'AUDIT_OTHER'>().not.toExtend<AuditErrorCode>()
  })
})

describe('time travel', () => {
  const { stateAt, revert } = withAudit(new PrismaClient({ adapter })).$audit

  it('gives records of the type that the model has', () => {
    const user = () => stateAt('User', 42, new Date())
    expectTypeOf(user).returns.resolves.toEqualTypeOf<Prisma.UserModel | null>()
    const shelf = () => stateAt('Shelf', { warehouseCode: 'A', number: 1 }, '2026-03-01T12:00:00Z')
    expectTypeOf(shelf).returns.resolves.toEqualTypeOf<Prisma.ShelfModel | null>()
    const everything = () => stateAt('Everything', 1n, new Date())
    expectTypeOf(everything).returns.resolves.toEqualTypeOf<Prisma.EverythingModel | null>()
  })

  it('leaves out what an extension computes', () => {
    const result = { user: { shout: { needs: { name: true }, compute: () => 'A' } } } as const
    const extended = withAudit(client.$extends({ result }))
    const user = () => extended.$audit.stateAt('User', 42, new Date())
    expectTypeOf(user).returns.resolves.toEqualTypeOf<Prisma.UserModel | null>()
  })

  it('takes models, ids and dates only', () => {
    const bad = () => [
      // @ts-expect-error no such model
      stateAt('Usr', 42, new Date()),
      // @ts-expect-error the property, not the model
      stateAt('user', 42, new Date()),
      // @ts-expect-error no date
      stateAt('User', 42, 7),
      // @ts-expect-error no id
      stateAt('User', null, new Date()),
    ]
    expectTypeOf(bad).toBeFunction()
  })

  it('gives the entries that a revert wrote', () => {
    const forced = () => revert('01a20c1d-7167-7650-9c9e-e7c23e5ccf68', { force: true })
    expectTypeOf<RevertOptions>().toEqualTypeOf<{ force?: boolean }>()
    expectTypeOf(forced).returns.toEqualTypeOf<Promise<AuditEntry[]>>()
    expectTypeOf<AuditError['conflicts']>().toEqualTypeOf<readonly RevertConflict[] | undefined>()
  })

  it('of any client takes and gives what it cannot know', () => {
    const anyAudit = {} as Audit
    const record = () => anyAudit.stateAt('Whatever', 1, new Date())
    expectTypeOf(record).returns.resolves.toEqualTypeOf<Record<string, unknown> | null>()
  })
})
