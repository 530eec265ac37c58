import { describe, expect, it } from 'vitest'
import { withRequestContext } from '../../src/http/next.ts'
import { type Actor, type AuditContext, withAudit, withAuditContext } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'

const db = await createDatabase()
const job: Actor = { id: 'nightly', type: 'system' }
const ada: Actor = { id: 'ada', type: 'user' }

/** Who a write in a request is recorded for. */
async function actorOf(
  options: { actor?: Actor; requireActor?: boolean; context?: () => AuditContext },
  user: Actor | undefined,
  around: (write: () => Promise<unknown>) => PromiseLike<unknown> = (write) => write(),
): Promise<[string, string]> {
  const prisma = withAudit(createClient(db.url), options)
  const write = async () => prisma.tag.create({ data: { name: unique('tag') } })
  const entry = await db.changeOf(() =>
    withRequestContext({ get: () => null }, { actor: () => user }, () => around(write)),
  )
  return [entry.actor_id, entry.actor_type]
}

describe('a request of somebody who has not signed in', () => {
  it('is recorded as anonymous, also where jobs have a name of their own', async () => {
    expect(await actorOf({}, undefined)).toEqual(['anonymous', 'user'])
    expect(await actorOf({ actor: job }, undefined)).toEqual(['anonymous', 'user'])
  })

  it('is recorded for whomever else a context names: the request, the application, the code inside', async () => {
    expect(await actorOf({ actor: job }, ada)).toEqual(['ada', 'user'])
    expect(await actorOf({ context: () => ({ actor: ada }) }, undefined)).toEqual(['ada', 'user'])
    const inside = (write: () => Promise<unknown>) => withAuditContext({ actor: job }, write)
    expect(await actorOf({}, undefined, inside)).toEqual(['nightly', 'system'])
  })

  it('is refused by requireActor, whatever the default actor', async () => {
    for (const options of [{ requireActor: true }, { requireActor: true, actor: job }]) {
      await expect(actorOf(options, undefined)).rejects.toMatchObject({ code: 'AUDIT_ACTOR_REQUIRED' })
      expect(await actorOf(options, ada)).toEqual(['ada', 'user'])
    }
  })

  it('events have the same actor as changes', async () => {
    const { $audit } = withAudit(createClient(db.url))
    const entry = await withRequestContext({ get: () => null }, {}, () =>
      $audit.record({ action: 'search.run' }),
    )
    expect(entry.actor).toEqual({ id: 'anonymous', type: 'user' })
  })

  it('outside a request the default actor remains', async () => {
    const prisma = withAudit(createClient(db.url), { actor: job })
    const entry = await db.changeOf(() => prisma.tag.create({ data: { name: unique('tag') } }))
    expect(entry.actor_id).toBe('nightly')
  })
})
