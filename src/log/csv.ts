import type { LogColumn } from './columns.ts'
import type { AuditEntry } from './entry.ts'

/** The columns of the table, with actor and resource as they are called there. */
const csvColumns: Record<LogColumn, (entry: AuditEntry) => unknown> = {
  seq: (entry) => entry.seq,
  timestamp: (entry) => entry.timestamp.toISOString(),
  action: (entry) => entry.action,
  actor_id: (entry) => entry.actor.id,
  actor_type: (entry) => entry.actor.type,
  actor_email: (entry) => entry.actor.email,
  resource_type: (entry) => entry.resource.type,
  resource_id: (entry) => entry.resource.id,
  outcome: (entry) => entry.outcome,
  reason: (entry) => entry.reason,
  details: (entry) => entry.details && JSON.stringify(entry.details),
  request_id: (entry) => entry.requestId,
  ip: (entry) => entry.ip,
  user_agent: (entry) => entry.userAgent,
  organization_id: (entry) => entry.organizationId,
  transaction_id: (entry) => entry.transactionId,
  id: (entry) => entry.id,
}

export const csvHeader = `${Object.keys(csvColumns).join(',')}\r\n`

/** A line of CSV (RFC 4180), its end included. */
export function csvLine(entry: AuditEntry): string {
  return `${Object.values(csvColumns)
    .map((read) => cell(read(entry)))
    .join(',')}\r\n`
}

/**
 * A text that a spreadsheet would take for a formula gets an apostrophe in front, which spreadsheets hide (OWASP, "CSV
 * Injection"): anyone who can write a field could otherwise run one on the auditor's machine.
 */
function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = String(value)
  const harmless = typeof value === 'string' && /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
