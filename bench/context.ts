import type { AuditContext } from 'prisma-extension-audit'

/** The context of a web request, with every column of an entry filled. */
export const requestContext = {
  actor: { id: 'usr_2n9d8s7f6g5h', type: 'user', email: 'ada@example.com' },
  requestId: '0197b2c4-6f1e-7c3a-9d2b-5e8f0a1b2c3d',
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  organizationId: 'org_8s7d6f5g4h3j',
} satisfies AuditContext
