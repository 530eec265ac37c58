export type { Anchor, AnchoredCheckpoint } from './anchor.ts'
export type {
  ArchiveDifference,
  ArchiveReport,
  DifferentEntry,
  FaultyPlace,
  Findings,
} from './archive/archive-report.ts'
export type { ArchiveProgress } from './archive/verify-sink.ts'
export type { ArchiveObject, MonthArchive } from './archive-contract.ts'
export type { Audit } from './audit.ts'
export { defineAudit } from './config.ts'
export {
  type Actor,
  type AuditContext,
  type ContextSource,
  getAuditContext,
  withAuditContext,
} from './context/context.ts'
export { AuditError, type AuditErrorCode, type RevertConflict, type UnwrittenEntry } from './errors.ts'
export type { DataChange } from './events/details.ts'
export type { AuditEvent } from './events/event.ts'
export type { EventRecorder } from './events/record.ts'
export { describeEntry, diffLines } from './log/describe.ts'
export type { AuditEntry, FieldChange } from './log/entry.ts'
export type { AuditHealth } from './log/health.ts'
export type { AuditOptions } from './options.ts'
export type { Audited } from './prisma-7/audited.ts'
export type {
  EntriesHandler,
  SubscribeOptions,
  Subscription,
  SubscriptionBatch,
} from './reader/subscribe.ts'
export type { Maintaining, MaintainingMetrics } from './retention/maintaining.ts'
export type { MaintenanceAction } from './retention/maintenance.ts'
export type { RetentionOptions, RetentionRule } from './retention-options.ts'
export type { EntryProof } from './seal/proof.ts'
export type { Sealing, SealMetrics } from './seal/sealing.ts'
export type { SealKey, SealOptions } from './seal-options.ts'
export type { ActorFilter, ResourceFilter, SearchFilter } from './search/filter.ts'
export type { AuditPage, PageOptions } from './search/page.ts'
export type {
  Archive,
  ArchiveFault,
  ArchivePart,
  ArchiveReading,
  ExactRow,
  Sink,
  SinkBatch,
  SinkLimits,
} from './sink.ts'
export type { Shipping, SinkMetrics } from './sinks/shipping.ts'
export { type MaintainingOptions, startMaintaining } from './start-maintaining.ts'
export { type SealingOptions, startSealing } from './start-sealing.ts'
export { type ShippingOptions, startShipping } from './start-shipping.ts'
export type { RevertOptions } from './time-travel/revert.ts'
export { type VerifyArchiveOptions, verifyArchive } from './verify-archive.ts'
export { withAudit } from './with-audit.ts'
