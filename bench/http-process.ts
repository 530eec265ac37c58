// A server of one framework that answers and writes nothing, with the context of the audit or without.
import 'reflect-metadata'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { auditContext as expressContext } from 'prisma-extension-audit/express'
import { auditContext as fastifyContext } from 'prisma-extension-audit/fastify'
import { auditContext as honoContext } from 'prisma-extension-audit/hono'
import { AuditContextModule } from 'prisma-extension-audit/nestjs'

const options = { actor: () => ({ id: 'ada', type: 'user' }) as const, organizationId: () => 'org' }
const answer = { ok: true }

const frameworks: Record<string, (isAudited: boolean) => Promise<RequestListener>> = {
  async Express(isAudited) {
    const app = express()
    if (isAudited) app.use(expressContext(options))
    return app.get('/', (_request, response) => void response.json(answer))
  },
  async Fastify(isAudited) {
    const app = fastify()
    if (isAudited) await app.register(fastifyContext(options))
    app.get('/', async () => answer)
    await app.ready()
    return (request, response) => app.routing(request, response)
  },
  async Hono(isAudited) {
    const app = new Hono()
    if (isAudited) app.use(honoContext(options))
    app.get('/', (context) => context.json(answer))
    return getRequestListener(app.fetch)
  },
  async NestJS(isAudited) {
    class Root {
      answer() {
        return answer
      }
    }
    class AppModule {}
    // decorators as functions: esbuild, which runs this file, gives them no types
    Get()(Root.prototype, 'answer', Object.getOwnPropertyDescriptor(Root.prototype, 'answer') as never)
    Controller()(Root)
    Module({ imports: isAudited ? [AuditContextModule.forRoot(options)] : [], controllers: [Root] })(
      AppModule,
    )
    const app = await NestFactory.create(AppModule, { logger: false })
    await app.init()
    return app.getHttpAdapter().getInstance()
  },
}

const [name = '', variant] = process.argv.slice(2)
const server = createServer(await frameworks[name]?.(variant === 'audited'))
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
