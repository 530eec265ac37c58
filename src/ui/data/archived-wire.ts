import type { ArchivedEntry, ArchivedLog } from '../../log/archived-log.ts'
import { hostOf } from '../../log/exact-entry.ts'
import { readRetiredUntil } from '../../log/retired.ts'
import type { TableName } from '../../postgres/identifiers.ts'
import type { SqlClient } from '../../postgres/sql-client.ts'
import type { Conditions } from '../../search/conditions.ts'
import type { WireEntry, WireLeftOut } from '../wire.ts'
import { type JsonEntryRow, smallParts } from './wire-entry.ts'

/** Details longer than this are left out of lists, in characters. */
const longDetails = 16_384

/** An entry of the archive with all of its details, as `wholeEntry` selects one of the table. */
export function archivedWireEntry({ row, archivedIn }: ArchivedEntry): WireEntry {
  return {
    ...{ id: row.id, timestamp: row.timestamp, action: row.action },
    actor: { id: row.actor_id, type: row.actor_type, email: row.actor_email },
    resource: { type: row.resource_type, id: row.resource_id },
    ...{ outcome: row.outcome, reason: row.reason, details: row.details, shortened: false },
    ...{ requestId: row.request_id, ip: hostOf(row.ip), userAgent: row.user_agent },
    ...{ organizationId: row.organization_id, seq: row.seq, transactionId: row.transaction_id, archivedIn },
  }
}

/** The same for a list, as `listEntry` selects it. */
export function archivedListEntry(found: ArchivedEntry): { entry: WireEntry } {
  const entry = archivedWireEntry(found)
  if (entry.details === null || entry.details.length <= longDetails) return { entry }
  const details = JSON.parse(entry.details) as Record<string, unknown>
  const parts = smallParts.filter((name) => (details[name] ?? null) !== null)
  const short = Object.fromEntries(parts.map((name) => [name, details[name]]))
  return { entry: { ...entry, details: JSON.stringify(short), shortened: true } }
}

/** The same for an export, as `jsonEntry` selects it. */
export function archivedJsonRow({ row, archivedIn }: ArchivedEntry): JsonEntryRow {
  const details = row.details === null ? null : JSON.parse(row.details)
  return { ...row, details, ip: hostOf(row.ip), archived_in: archivedIn } as JsonEntryRow
}

/** The archive for visitors who see a part of the log: where its files are is not for them. */
export function withoutPlaces(archive: ArchivedLog): ArchivedLog {
  const anonymous = (entries: readonly ArchivedEntry[]) =>
    entries.map((entry) => ({ ...entry, archivedIn: 'archive' }))
  return {
    find: async (question, time) => {
      const answer = await archive.find(question, time)
      return { ...answer, entries: anonymous(answer.entries) }
    },
    byIds: async (ids, conditions) => anonymous(await archive.byIds(ids, conditions)),
    bySeqs: async (seqs) => anonymous(await archive.bySeqs(seqs)),
    countUnerased: (question) => archive.countUnerased(question),
  }
}

/** What a count over the table leaves out of what is asked for. */
export async function readLeftOut(
  connection: SqlClient,
  table: TableName,
  isListed: boolean,
  { from }: Pick<Conditions, 'from'> = {},
): Promise<{ leftOut?: WireLeftOut }> {
  const before = await readRetiredUntil(connection, table)
  if (before === null || (from !== undefined && Date.parse(from) >= Date.parse(before))) return {}
  return { leftOut: { before, isListed } }
}
