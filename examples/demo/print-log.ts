import type { Atlas } from './atlas.ts'
import type { AuditLogWhereInput } from './generated/client/models/AuditLog.ts'
import { type Entry, fieldChanges, readEntries, verbOf } from './log.ts'
import { type Cell, printHeading, printRow } from './terminal.ts'

// With the gaps, 120 columns.
const widths = [8, 8, 19, 12, 45, 15]

const empty: Cell = { text: '' }

const verbColours: Record<string, Cell['format']> = {
  create: 'green',
  update: 'blue',
  delete: 'red',
  connect: 'cyan',
  disconnect: 'magenta',
}

/** The log as a table: in numbers what the import did, entry by entry what people did. */
export async function printLog(prisma: Atlas): Promise<void> {
  printHeading('The log', 'audit_logs, oldest first')
  printRow(
    ['TIME', 'ACTOR', 'ACTION', 'RECORD', 'CHANGE', 'CAUSE'].map((text) => dim(text)),
    widths,
  )
  await printJobs(prisma)
  for (const entry of await readEntries(prisma, { NOT: byJobs })) printEntry(entry)
}

/** What the import did, and the migration that has triggers record the tables. */
const byJobs: AuditLogWhereInput = { OR: [{ actorId: 'importer' }, { resourceType: 'auditLog' }] }

/** A job writes thousands of entries, so each of its actions gets one line. */
async function printJobs(prisma: Atlas): Promise<void> {
  const groups = await prisma.auditLog.groupBy({
    by: ['actorId', 'action'],
    where: byJobs,
    _count: true,
    _min: { timestamp: true, seq: true },
    orderBy: { _min: { seq: 'asc' } },
  })
  for (const { actorId, action, _count: count, _min: first } of groups) {
    const many = dim(`${count.toLocaleString('en').padStart(5)} ×`)
    printRow([timeCell(first.timestamp), actorCell(actorId), actionCell(action), many], widths)
  }
}

function printEntry(entry: Entry): void {
  const { timestamp, actorId, action, resourceId, details } = entry
  const [change = empty, ...furtherChanges] = changeCells(entry)
  printRow(
    [
      timeCell(timestamp),
      actorCell(actorId),
      actionCell(action),
      { text: resourceId ?? '' },
      change,
      causeCell(details),
    ],
    widths,
  )
  for (const cell of furtherChanges) printRow([empty, empty, empty, empty, cell], widths)
}

/** One line for a link, one for a whole record that came or went, or one for each changed field. */
function changeCells(entry: Entry): Cell[] {
  const { relation, target } = entry.details
  if (entry.outcome === 'failure') return [{ text: shorten(entry.reason ?? ''), format: 'red' }]
  if (target) return [{ text: `${relation} → ${target.id}` }]
  const fields = fieldChanges(entry)
  if (verbOf(entry.action) !== 'update') return [dim(fields.map(({ field }) => field).join(', '))]
  return fields.map(({ field, before, after }) => ({ text: `${field}: ${before} → ${after}` }))
}

/** Of a database role, which is the actor where nobody says more, the role alone. */
function actorCell(actorId: string): Cell {
  return { text: actorId.replace(/^postgres:/, '') }
}

function causeCell({ cause, operation, source }: Entry['details']): Cell {
  return cause ? { text: cause, format: 'yellow' } : dim(operation ?? source?.application ?? '')
}

/** Of an error's code and message, the beginning of the message. */
function shorten(reason: string): string {
  const message = reason.replace(
    /^(P\d+): (Raw query failed|Database error)\. Code: `(\w+)`\. Message: `/,
    '$3: ',
  )
  return message.length > 45 ? `${message.slice(0, 44)}…` : message
}

function actionCell(action: string): Cell {
  return { text: action, format: verbColours[verbOf(action)] }
}

function timeCell(timestamp: Date | null): Cell {
  return dim(timestamp?.toISOString().slice(11, 19))
}

function dim(text = ''): Cell {
  return { text, format: 'dim' }
}
