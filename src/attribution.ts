import { type Actor, type AuditContext, getAuditContext, mergeContexts } from './context/context.ts'
import { parseContext } from './context/context-schema.ts'

/** What decides who acts where no context says it. */
export interface ActorOptions {
  readonly actor: Actor
  /** Whether `actor` was given, and is not the default. */
  readonly hasOwnActor: boolean
  /** The application's own context. */
  readonly context: (() => AuditContext | undefined) | undefined
}

/** A context that says who acts, by default at least. */
export type AttributedContext = AuditContext & { readonly actor: Actor }

/** The context of the running code: what `withAuditContext` says, on top of the option `context`, and the default actor. */
export function currentContext(options: ActorOptions): {
  readonly context: AttributedContext
  /** Whether a context or an option named the actor, or only the default did. */
  readonly hasActor: boolean
} {
  const given = options.context?.()
  const around = getAuditContext() ?? {}
  const context = given ? mergeContexts(parseContext(given), around) : around
  return {
    context: { ...context, actor: context.actor ?? options.actor },
    hasActor: context.actor !== undefined || options.hasOwnActor,
  }
}

/** What a call adds to every entry of its statements. */
export interface Attribution {
  readonly context: AttributedContext
  /** The Prisma operation, where it is known. */
  readonly operation: string | undefined
  /** The entry that the call undoes, if it undoes one. */
  readonly revertOf: string | undefined
}
