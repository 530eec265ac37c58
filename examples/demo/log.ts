import type { Atlas } from './atlas.ts'
import type { AuditLogModel, AuditLogWhereInput } from './generated/client/models/AuditLog.ts'

type Row = Readonly<Record<string, unknown>>

/** What an entry says about its change; which keys are there depends on the action. */
interface Details {
  readonly before?: Row
  readonly after?: Row
  readonly changed?: readonly string[]
  /** Of a link: the relation's field and the record at its other end. */
  readonly relation?: string
  readonly target?: { readonly type: string; readonly id: string }
  /** The Prisma operation behind it, and what set off a change that the database made by itself. */
  readonly operation?: string
  readonly cause?: string
  /** Of a change past the audited client: what the database knows of whoever made it. */
  readonly source?: { readonly role: string; readonly application: string | null }
}

export type Entry = Omit<AuditLogModel, 'details'> & { readonly details: Details }

/** Entries in their order. The log is a table like any other, so an ordinary Prisma model reads it. */
export async function readEntries(prisma: Atlas, where: AuditLogWhereInput): Promise<Entry[]> {
  const rows = await prisma.auditLog.findMany({ where, orderBy: { seq: 'asc' } })
  return rows.map((row) => ({ ...row, details: (row.details ?? {}) as Details }))
}

/** A field as it was and as it is; one of a created record has no `before`, one of a deleted record no `after`. */
interface FieldChange {
  readonly field: string
  readonly before?: string
  readonly after?: string
}

export function fieldChanges({ details: { before, after, changed } }: Entry): FieldChange[] {
  const fields = changed ?? Object.keys(after ?? before ?? {})
  return [...fields].sort().map((field) => ({
    field,
    ...(before && { before: show(before[field]) }),
    ...(after && { after: show(after[field]) }),
  }))
}

/** The `connect` of `country.connect`. */
export function verbOf(action: string): string {
  return action.slice(action.lastIndexOf('.') + 1)
}

function show(value: unknown): string {
  if (Array.isArray(value) && value.length > 0) return value.map(show).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
