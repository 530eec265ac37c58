import { expect } from 'vitest'
import { type AuditError, withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { refusal } from '../support/errors.ts'

/** Who and from where, all of it. */
export const request = {
  actor: { id: 'ada', type: 'user', email: 'ada@example.com' },
  requestId: 'req-1',
  ip: '203.0.113.7',
  userAgent: 'Firefox',
  organizationId: 'org-1',
  reason: 'ticket 42',
  metadata: { route: '/reports' },
} as const

/** An audited client on a database of its own, and what a test asks about its events. */
export async function createEvents() {
  const db = await createDatabase()
  const prisma = withAudit(createClient(db.url))
  return {
    db,
    prisma,
    /** The error that an event is refused with, of which nothing is in the log. */
    async refusal(work: () => Promise<unknown>): Promise<AuditError> {
      const before = await db.lastSeq()
      const error = await refusal(work)
      expect(await db.lastSeq()).toBe(before)
      return error
    },
  }
}
