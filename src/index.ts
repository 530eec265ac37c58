export { type Actor, type AuditContext, getAuditContext, withAuditContext } from './context.ts'
export { AuditError, type AuditErrorCode } from './errors.ts'
export type { AuditOptions } from './options.ts'
export { type Audit, type Audited, withAudit } from './with-audit.ts'
