import {
  type Actor,
  type AuditContext,
  anonymousActor,
  getAuditContext,
  isInRequest,
  mergeContexts,
} from './context/context.ts'
import { parseContext } from './context/context-schema.ts'

/** What decides who acts when no context does. */
export interface ActorOptions {
  readonly actor: Actor
  /** Whether the application set `actor`, so it is not the default. */
  readonly hasOwnActor: boolean
  /** The application's own context. */
  readonly context: (() => AuditContext | undefined) | undefined
}

/** A context that has an actor, if only the default one. */
export type AttributedContext = AuditContext & { readonly actor: Actor }

/**
 * The context of the running code: `withAuditContext` on top of the option `context` on top of the default actor. In an HTTP
 * request that is nobody, who must not look like a trusted job.
 */
export function currentContext(options: ActorOptions): {
  readonly context: AttributedContext
  /** Whether a context or an option named the actor, rather than the default. */
  readonly hasActor: boolean
} {
  const given = options.context?.()
  const around = getAuditContext() ?? {}
  const context = given ? mergeContexts(parseContext(given), around) : around
  if (context.actor === undefined && isInRequest()) {
    return { context: { ...context, actor: anonymousActor }, hasActor: false }
  }
  return {
    context: { ...context, actor: context.actor ?? options.actor },
    hasActor: context.actor !== undefined || options.hasOwnActor,
  }
}

/** What a call adds to every entry of its statements. */
export interface Attribution {
  readonly context: AttributedContext
  /** The Prisma operation, if known. */
  readonly operation: string | undefined
  /** The entry that the call undoes, if any. */
  readonly revertOf: string | undefined
}
