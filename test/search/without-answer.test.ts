import { describe, expect, it } from 'vitest'
import { AuditError, withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'

const database = await createDatabase()

/** Every question that `$audit` answers. */
function questions({ $audit }: ReturnType<typeof withAudit<ReturnType<typeof createClient>>>) {
  const stream = async () => {
    for await (const entry of $audit.stream({})) return entry
  }
  return [
    () => $audit.history('Tag', 1),
    () => $audit.accesses('Tag', 1),
    () => $audit.activity('ada'),
    () => $audit.search({ action: 'tag.*' }),
    () => $audit.failedLogins({ since: '2026-01-01' }),
    () => $audit.exports(),
    () => $audit.transaction(1),
    stream,
    () => $audit.stateAt('Tag', 1, '2026-01-01'),
    () => $audit.revert('018f0000-0000-7000-8000-000000000000'),
  ]
}

async function codesOf(ask: readonly (() => Promise<unknown>)[]): Promise<unknown[]> {
  const errors = await Promise.all(ask.map((one) => one().catch((error: unknown) => error)))
  return errors.map((error) => (error instanceof AuditError ? error.code : error))
}

describe('a question to the log that gets no answer', () => {
  it('is AUDIT_TABLE_MISSING without the table', async () => {
    const prisma = withAudit(createClient(database.url))
    await database.sql('ALTER TABLE audit_logs RENAME TO gone')
    try {
      const codes = await codesOf(questions(prisma))
      expect(codes).toEqual(codes.map(() => 'AUDIT_TABLE_MISSING'))
    } finally {
      await database.sql('ALTER TABLE gone RENAME TO audit_logs')
    }
  })

  it('is AUDIT_UNREADABLE where the database is away, and says so', async () => {
    const prisma = withAudit(createClient('postgresql://nobody@127.0.0.1:9/nothing'))
    const codes = await codesOf(questions(prisma))
    expect(codes).toEqual(codes.map(() => 'AUDIT_UNREADABLE'))
    await expect(prisma.$audit.history('Tag', 1)).rejects.toThrow('the database did not answer')
  })

  it('is AUDIT_UNREADABLE where the role may not read the log', async () => {
    await database.sql(
      `DO $$ BEGIN CREATE ROLE blind_reader LOGIN PASSWORD 'x'; EXCEPTION WHEN duplicate_object THEN END $$`,
    )
    const url = new URL(database.url)
    url.username = 'blind_reader'
    url.password = 'x'
    const prisma = withAudit(createClient(url.href))
    await expect(prisma.$audit.activity('ada')).rejects.toMatchObject({
      code: 'AUDIT_UNREADABLE',
      message: expect.stringContaining('GRANT the role SELECT'),
    })
  })
})
