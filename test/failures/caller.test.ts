import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient } from '../support/database.ts'
import { createFailing, failure } from './failing.ts'

const { db, prisma, audited, failing } = await createFailing()

describe('an attempt on the log itself', () => {
  it.each<[string, () => PromiseLike<unknown>, string]>([
    ['by its model', () => prisma.auditLog.deleteMany(), 'auditLog.delete'],
    ['by raw SQL', () => prisma.$executeRaw`UPDATE audit_logs SET actor_id = 'nobody'`, 'raw.execute'],
    ['by TRUNCATE', () => prisma.$executeRaw`TRUNCATE audit_logs`, 'raw.execute'],
  ])('%s is refused, and recorded', async (_, work, action) => {
    await db.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
      VALUES (gen_random_uuid(), 'tag.create', 'a', 'user', 'tag')`)
    const { entries } = await failing(work)
    expect(entries.map(({ action, outcome, reason }) => [action, outcome, reason])).toEqual([
      [action, 'failure', expect.stringContaining('the audit log is append-only')],
    ])
  })
})

describe('the caller', () => {
  it('gets the error that the client below threw, the very same', async () => {
    const thrown: unknown[] = []
    const noting = withAudit(createClient(db.url)).$extends({
      query: {
        async $allOperations({ args, query }) {
          try {
            return await query(args)
          } catch (error) {
            thrown.push(error)
            throw error
          }
        },
      },
    })
    const works = [
      () => noting.tag.delete({ where: { id: 404 } }),
      () => noting.$executeRaw`INSERT INTO "Tag" (id) VALUES (1)`,
      () => noting.$transaction((tx) => tx.tag.delete({ where: { id: 404 } })),
      () => noting.$transaction([noting.tag.delete({ where: { id: 404 } })]),
    ]
    const errors: Error[] = []
    for (const work of works) errors.push((await failing(work)).error)
    expect(thrown).toHaveLength(works.length)
    for (const [index, error] of errors.entries()) expect(error).toBe(thrown[index])
    expect(errors[0]?.stack).toContain('caller.test.ts')
  })

  it('does not wait for a log that no connection is left for, and the entry follows', async () => {
    const crowded = audited({}, { max: 1, connectionTimeoutMillis: 2_000 })
    await crowded.tag.create({ data: { name: 'first' } })
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const holding = crowded.$transaction(async (tx) => {
      await tx.tag.count()
      await held
    })
    const began = Date.now()
    const { error } = await failing(() => crowded.tag.delete({ where: { id: 1 } }))
    expect(Date.now() - began).toBeLessThan(3_900) // two waits would be 4 seconds
    release()
    await holding
    expect(error.message).toBe('timeout exceeded when trying to connect')
    await crowded.$audit.flush()
    const [last] = (await db.entries()).slice(-1)
    expect(last && failure(last)).toEqual({
      action: 'tag.delete',
      id: '1',
      reason: 'timeout exceeded when trying to connect',
      details: { operation: 'delete' },
    })
  })

  it('gets the error also when the log cannot be written, and onError hears of it', async () => {
    const heard: string[] = []
    const unlucky = audited({ onError: (error) => heard.push(error.code) })
    await db.sql('ALTER TABLE audit_logs ADD CONSTRAINT no_failures CHECK (outcome = $$success$$) NOT VALID')
    try {
      const { error, entries } = await failing(() => unlucky.tag.delete({ where: { id: 404 } }))
      expect(error.code).toBe('P2025')
      expect(entries).toEqual([])
      await unlucky.$audit.flush()
      expect(heard).toEqual(['AUDIT_NOT_WRITTEN'])
    } finally {
      await db.sql('ALTER TABLE audit_logs DROP CONSTRAINT no_failures')
    }
  })
})
