import { randomUUID } from 'node:crypto'
import { type Actor, type AuditContext, withAuditContext } from 'prisma-extension-audit'
import type { Atlas } from './atlas.ts'
import { count, paint, print, printStep } from './terminal.ts'

/** Somebody with a browser or an app: what a web server knows of a request. */
export interface Person extends AuditContext {
  readonly actor: Actor
}

export interface Edit {
  readonly by: Person
  /** Why, in the person's own words. Every entry of the edit keeps it. */
  readonly reason: string
  /** Whether the database has to refuse it, or the person takes it back. */
  readonly fails?: boolean
  readonly work: () => Promise<unknown>
}

/** Makes an edit in a request of its own, then counts what the log has of it. */
export async function handle(prisma: Atlas, { by, reason, fails = false, work }: Edit): Promise<void> {
  const requestId = `req-${randomUUID().slice(0, 8)}`
  const error = await withAuditContext({ ...by, requestId, reason }, () => failureOf(work))
  if (fails !== (error !== undefined)) throw error ?? new Error(`This had to fail: ${reason}`)

  const entries = await prisma.auditLog.count({ where: { requestId, outcome: 'success' } })
  printStep(!fails, `${by.actor.id}  ${reason}`, count(entries, 'entry', 'entries'))
  if (error) print(paint('red', `    ${' '.repeat(by.actor.id.length)}  ${lastLine(error)}`))
}

async function failureOf(work: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** Prisma's messages show the code first; what went wrong stands in the last line. */
function lastLine({ message }: Error): string {
  const line = message.split('\n').at(-1) ?? ''
  return line.replace(/^Raw query failed. Code: `(.+?)`. Message: `(.+)`$/, '$1: $2')
}
