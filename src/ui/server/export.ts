import { csvHeader, csvLine } from '../../log/csv.ts'
import type { AuditEntry } from '../../log/entry.ts'
import { jsonLine } from '../../log/json-line.ts'
import { InvalidRequest } from '../data/invalid-request.ts'
import { answer } from './answers.ts'

const formats = {
  csv: { type: 'text/csv; charset=utf-8', header: csvHeader, line: csvLine },
  ndjson: { type: 'application/x-ndjson; charset=utf-8', header: '', line: jsonLine },
}

/**
 * A file of entries, as the command `export` writes it, sent as fast as the reader takes it.
 *
 * @throws InvalidRequest for another format; whatever reading the first entry throws
 */
export async function exportAnswer(
  entries: AsyncIterable<AuditEntry>,
  format: string | null,
): Promise<Response> {
  if (format !== 'csv' && format !== 'ndjson') throw new InvalidRequest('"format" must be "csv" or "ndjson".')
  const { type, header, line } = formats[format]
  const iterator = entries[Symbol.asyncIterator]()
  // once the answer has begun, it can only break off
  const first = await iterator.next()
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(`${header}${first.done ? '' : line(first.value)}`))
      if (first.done) controller.close()
    },
    async pull(controller) {
      const next = await iterator.next()
      if (next.done) controller.close()
      else controller.enqueue(encoder.encode(line(next.value)))
    },
    async cancel() {
      await iterator.return?.()
    },
  })
  return answer(body, 200, {
    'Content-Type': type,
    'Content-Disposition': `attachment; filename="audit-log.${format}"`,
  })
}
