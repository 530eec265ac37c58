import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { AuditError } from '../errors.ts'
import type { AuditEntry } from '../log/entry.ts'
import type { ReadableLog } from '../log/log.ts'
import { resourceOf } from '../models/data-model.ts'
import { readKnownPosition } from '../reader/eras.ts'
import { readerLog } from '../reader/reader-log.ts'
import { type EntryProof, proveEntry } from '../seal/proof.ts'
import { readHead } from '../seal/stored-checkpoint.ts'
import { createAuditSearch } from '../search/search.ts'
import { withLog } from './open-log.ts'
import { UsageError } from './usage.ts'

export const reportFormats = ['html', 'json'] as const
export type ReportFormat = (typeof reportFormats)[number]

/** An entry of a report, with what proves it. */
export interface ReportedEntry {
  readonly entry: AuditEntry
  /** Undefined where the entry is not sealed. */
  readonly proof: EntryProof | undefined
}

/** A part of a report, in the order in which it is written. */
export interface ReportSection {
  readonly name: 'entries' | 'exports'
  readonly title: string
  readonly entries: AsyncIterable<ReportedEntry>
}

/** How a report is written, piece by piece. */
export interface ReportForm {
  begin(subject: ReportSubject, createdAt: Date): string
  beginSection(section: ReportSection): string
  entry(reported: ReportedEntry, isFirst: boolean): string
  endSection(section: ReportSection, count: number): string
  end(): string
}

export interface ReportSubject {
  readonly resource: string
  readonly id: string
}

/** @throws UsageError where the text is not `Model:id` */
export function parseSubject(text: string | undefined): ReportSubject {
  const [, model, id] = /^([^:\s]+):(.+)$/s.exec(text ?? '') ?? []
  if (model === undefined || id === undefined) {
    throw new UsageError('report takes a record: report --subject Patient:42')
  }
  return { resource: resourceOf(model), id }
}

/**
 * Writes who saw, changed and exported a record, newest first, in constant memory: its own entries and reads that gave it among
 * others, and all exports of its model, of which the log does not know whether it was among them.
 *
 * @returns how many entries it has
 */
export async function writeReport(
  subject: ReportSubject,
  output: Writable,
  form: ReportForm,
  table: string | undefined,
): Promise<number> {
  return withLog(table, async (log) => {
    const { resource, id } = subject
    const { stream } = createAuditSearch(log)
    const prove = await prover(log)
    async function* proved(entries: AsyncIterable<AuditEntry>) {
      for await (const entry of entries) yield { entry, proof: await prove(entry.id) }
    }
    const sections: ReportSection[] = [
      {
        name: 'entries',
        title: `Who saw and changed ${resource} ${id}`,
        entries: proved(stream({ resource: { type: resource, id } })),
      },
      {
        name: 'exports',
        title: `Exports of ${resource}, which may have had it in them`,
        entries: proved(withoutOwn(stream({ action: `${resource}.export` }), id)),
      },
    ]
    await writePiece(output, form.begin(subject, new Date()))
    let total = 0
    for (const section of sections) {
      let count = 0
      await writePiece(output, form.beginSection(section))
      for await (const reported of section.entries)
        await writePiece(output, form.entry(reported, count++ === 0))
      await writePiece(output, form.endSection(section, count))
      total += count
    }
    await writePiece(output, form.end())
    return total
  })
}

/** Those that are not under the record itself, and so in the report already. */
async function* withoutOwn(entries: AsyncIterable<AuditEntry>, id: string): AsyncGenerator<AuditEntry> {
  for await (const entry of entries) if (entry.resource.id !== id) yield entry
}

/** What proves an entry, where there are seals and the role may read them. */
async function prover(log: ReadableLog): Promise<(id: string) => Promise<EntryProof | undefined>> {
  const reader = readerLog(log)
  const unproved = (error: unknown) => {
    const code = error instanceof AuditError ? error.code : undefined
    if (code === 'AUDIT_NOT_SEALED' || code === 'AUDIT_TABLE_MISSING' || code === 'AUDIT_UNREADABLE')
      return undefined
    throw error
  }
  const head = await readKnownPosition(reader)
    .then((position) => readHead(reader, position.log))
    .catch(unproved)
  if (!head) return async () => undefined
  return (id) => proveEntry(reader, id).catch(unproved)
}

async function writePiece(output: Writable, text: string): Promise<void> {
  if (text !== '' && !output.write(text)) await once(output, 'drain')
}
