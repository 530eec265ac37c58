export type { Audit } from './audit.ts'
export type { Audited } from './audited.ts'
export {
  type Actor,
  type AuditContext,
  type ContextSource,
  getAuditContext,
  withAuditContext,
} from './context.ts'
export { AuditError, type AuditErrorCode, type RevertConflict, type UnwrittenEntry } from './errors.ts'
export type { DataChange } from './log/details.ts'
export { describeEntry, diffLines } from './log/diff-lines.ts'
export type { AuditEntry, FieldChange } from './log/entry.ts'
export type { AuditEvent } from './log/event.ts'
export type { ActorFilter, ResourceFilter, SearchFilter } from './log/filter.ts'
export type { AuditPage, PageOptions } from './log/page.ts'
export type { Recording } from './log/record.ts'
export type { RevertOptions } from './log/revert.ts'
export type { AuditOptions } from './options.ts'
export { withAudit } from './with-audit.ts'
