import { type DynamicModule, type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common'
import { auditContext, type ExpressRequestLike } from './express.ts'
import type { RequestContextOptions } from './request-context.ts'

/**
 * NestJS module that gives every entry of a request its context: request id, IP, user agent, trace, and who acts. The
 * response carries the request's id. Middleware runs before guards; `actor` is asked only when an entry is written, so
 * what a guard puts on the request is there. Works on Express and on Fastify.
 *
 * The IP is `request.ip` on Express (with its setting `trust proxy`), the connection's on Fastify;
 * `x-forwarded-for` alone is never trusted.
 *
 * @example
 * ```ts
 * import { AuditContextModule } from 'prisma-extension-audit/nestjs'
 *
 * @Module({
 *   imports: [
 *     AuditContextModule.forRoot<Request>({
 *       actor: (request) => request.user && { id: request.user.id, type: 'user' },
 *     }),
 *   ],
 * })
 * export class AppModule {}
 * ```
 */
export class AuditContextModule {
  static forRoot<Request extends NestRequestLike = NestRequestLike>(
    options: RequestContextOptions<Request> = {},
  ): DynamicModule {
    const middleware = auditContext<Request>(options)
    class ConfiguredAuditContextModule implements NestModule {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(middleware).forRoutes('{*path}')
      }
    }
    Module({})(ConfiguredAuditContextModule)
    return { module: ConfiguredAuditContextModule }
  }
}

export type NestRequestLike = ExpressRequestLike
