import type { AuditEntry } from './entry.ts'

/** An entry as a line of NDJSON, its end included: before and after are in `details`, and bigints are strings. */
export function jsonLine({ before: _, after: __, ...entry }: AuditEntry): string {
  return `${JSON.stringify(entry, (_, value) => (typeof value === 'bigint' ? String(value) : value))}\n`
}
