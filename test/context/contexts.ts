import type { AuditContext } from '../../src/index.ts'

export const ada = { id: 'ada', type: 'user' } as const

/** A context with every field. */
export const everything: AuditContext = {
  actor: { id: 'usr_1', type: 'api_key', email: 'ada@example.com' },
  requestId: 'req-1',
  ip: '203.0.113.9',
  userAgent: 'curl/8.5.0',
  organizationId: 'org_1',
  reason: 'support ticket 4711',
  metadata: { plan: 'pro', nested: { list: [1, null, 'x', true] } },
}
