import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { Controller, Module, Post, Req } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import express from 'express'
// @ts-expect-error it has no types of its own; it is used as Express 5 is
import express4 from 'express4'
import fastify from 'fastify'
import { Hono } from 'hono'
import { auditContext as expressContext } from '../../src/http/express.ts'
import { auditContext as fastifyContext } from '../../src/http/fastify.ts'
import { auditContext as honoContext } from '../../src/http/hono.ts'
import { AuditContextModule } from '../../src/http/nestjs.ts'
import type { PrismaClient } from '../generated/client/client.ts'

export type Tags = Pick<PrismaClient, 'tag' | '$transaction'>

/** A running application: `POST /tags?via=…` with a JSON body makes a tag, in the way that `via` says. */
export interface App {
  readonly url: string
  close(): Promise<void>
}

/** Starts an application that trusts a proxy or not. */
export type StartApp = (prisma: Tags, options?: { trustProxy?: boolean }) => Promise<App>

/** Ways to get away from the request's handler before the write. */
export const ways = ['await', 'timer', 'emitter', 'body', 'transaction', 'error'] as const

/** Makes a tag in one of these ways; `request` has ended already where a framework parsed its body. */
async function makeTag(prisma: Tags, via: string, name: string, request: IncomingMessage): Promise<void> {
  const create = async () => void (await prisma.tag.create({ data: { name } }))
  switch (via) {
    case 'timer':
      return new Promise((resolve, reject) => setTimeout(() => create().then(resolve, reject), 2))
    case 'emitter': {
      const emitter = new EventEmitter()
      return new Promise((resolve, reject) => {
        emitter.on('now', () => create().then(resolve, reject))
        setImmediate(() => emitter.emit('now'))
      })
    }
    case 'body':
      // the parser of node:http emits, from the connection's async context
      return new Promise((resolve, reject) => {
        request.on('probe', () => create().then(resolve, reject))
        outside(() => request.emit('probe'))
      })
    case 'transaction':
      return prisma.$transaction(async (tx) => {
        await sleep(1)
        await tx.tag.create({ data: { name } })
      })
    case 'error':
      await Promise.reject(new Error('in between')).catch(() => {})
      return create()
    default:
      return create()
  }
}

/** Runs work in the async context of the module, which is nobody's. */
const pending: (() => void)[] = []
function outside(work: () => void): void {
  pending.push(work)
}
setInterval(() => {
  for (const work of pending.splice(0)) work()
}, 1).unref()

export type User = { id: string; organizationId: string }

/** Authentication that runs behind the audit's middleware: `authorization: ada` is Ada of Ada's organization. */
const userOf = (authorization: string | undefined): User | undefined =>
  authorization === undefined ? undefined : { id: authorization, organizationId: `org of ${authorization}` }

const actorOf = (user: User | undefined) => user && ({ id: user.id, type: 'user' } as const)

type NestRequest = express.Request & WithUser

type WithUser = { account?: User | undefined }

const startExpress =
  (framework: typeof express): StartApp =>
  async (prisma, { trustProxy = false } = {}) => {
    const app = framework()
    if (trustProxy) app.set('trust proxy', true)
    app.use(
      expressContext<express.Request & WithUser>({
        actor: (request) => actorOf(request.account),
        organizationId: (request) => request.account?.organizationId,
        metadata: (request) => ({ path: request.path }),
      }),
    )
    app.use(framework.json())
    app.use((request, _response, next) => {
      Object.assign(request, { account: userOf(request.headers.authorization) })
      next()
    })
    app.post('/tags', (request, response, next) => {
      makeTag(prisma, String(request.query.via), request.body.name, request).then(
        () => response.sendStatus(201),
        next,
      )
    })
    return listening(app.listen(0, '127.0.0.1'))
  }

const startFastify: StartApp = async (prisma, { trustProxy = false } = {}) => {
  const app = fastify({ trustProxy })
  await app.register(
    fastifyContext<fastify.FastifyRequest & WithUser>({
      actor: (request) => actorOf(request.account),
      organizationId: (request) => request.account?.organizationId,
      metadata: (request) => ({ path: request.url.split('?')[0] }),
    }),
  )
  app.addHook('preHandler', async (request) => {
    Object.assign(request, { account: userOf(request.headers.authorization) })
  })
  app.post<{ Querystring: { via: string }; Body: { name: string } }>('/tags', async (request, reply) => {
    await makeTag(prisma, request.query.via, request.body.name, request.raw)
    return reply.code(201).send()
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { url, close: () => app.close() }
}

const startHono: StartApp = async (prisma, { trustProxy = false } = {}) => {
  const app = new Hono<{ Bindings: { incoming: IncomingMessage }; Variables: { user: User | undefined } }>()
  app.use(
    honoContext<import('hono').Context<{ Variables: { user: User | undefined } }>>({
      actor: (context) => actorOf(context.get('user')),
      organizationId: (context) => context.get('user')?.organizationId,
      metadata: (context) => ({ path: context.req.path }),
      ...(trustProxy ? { ip: (context) => context.req.header('x-forwarded-for')?.split(',')[0] } : {}),
    }),
  )
  app.use(async (context, next) => {
    context.set('user', userOf(context.req.header('authorization')))
    await next()
  })
  app.post('/tags', async (context) => {
    const { name } = await context.req.json<{ name: string }>()
    const via = context.req.query('via') ?? ''
    await makeTag(prisma, via === 'body' ? 'emitter' : via, name, context.env.incoming)
    return context.body(null, 201)
  })
  return listening(serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server)
}

const startNest =
  (platform: 'express' | 'fastify'): StartApp =>
  async (prisma, { trustProxy = false } = {}) => {
    const options = {
      actor: (request: WithUser) => actorOf(request.account),
      organizationId: (request: WithUser) => request.account?.organizationId,
      metadata: () => ({ path: '/tags' }),
    }
    const onExpress = async () => {
      const nest = await NestFactory.create(AppModule, { logger: false })
      if (trustProxy) nest.getHttpAdapter().getInstance().set('trust proxy', true)
      return nest
    }
    const onFastify = async () => {
      const adapter = new FastifyAdapter({ trustProxy })
      const nest = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, { logger: false })
      await nest.register(fastifyContext<fastify.FastifyRequest & WithUser>(options) as never)
      return nest
    }
    class Tags {
      // biome-ignore lint/suspicious/noExplicitAny: Express' request or Fastify's
      async make(request: any) {
        await makeTag(prisma, request.query.via, request.body.name, request.raw ?? request)
      }
    }
    // decorators as functions: the tests' compiler has none
    Post('tags')(Tags.prototype, 'make', Object.getOwnPropertyDescriptor(Tags.prototype, 'make') as never)
    Req()(Tags.prototype, 'make', 0)
    Controller()(Tags)
    class AppModule {}
    const imports = platform === 'express' ? [AuditContextModule.forRoot<NestRequest>(options)] : []
    Module({ imports, controllers: [Tags] })(AppModule)
    const app = await (platform === 'express' ? onExpress() : onFastify())
    app.useGlobalGuards({
      canActivate: (context) => {
        const request = context.switchToHttp().getRequest()
        request.account = userOf(request.headers.authorization)
        return true
      },
    })
    await app.listen(0, '127.0.0.1')
    return { url: await app.getUrl(), close: () => app.close() }
  }

export const frameworks: Record<string, StartApp> = {
  'Express 5': startExpress(express),
  'Express 4': startExpress(express4 as unknown as typeof express),
  'Fastify 5': startFastify,
  'Hono 4': startHono,
  'NestJS on Express': startNest('express'),
  'NestJS on Fastify': startNest('fastify'),
}

async function listening(server: Server): Promise<App> {
  if (!server.listening) await new Promise<void>((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
