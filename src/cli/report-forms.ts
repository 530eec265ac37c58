import { diffLines } from '../log/describe.ts'
import type { AuditEntry } from '../log/entry.ts'
import { jsonLine } from '../log/json-line.ts'
import type { EntryProof } from '../seal/proof.ts'
import type { ReportForm, ReportFormat } from './report.ts'

/** One JSON object, an entry a line. An entry has its proof, as `verify-proof` takes it, or null. */
const json: ReportForm = {
  begin: ({ resource, id }, createdAt) =>
    `{"subject":${JSON.stringify({ resource, id })},"createdAt":${JSON.stringify(createdAt)}`,
  beginSection: ({ name }) => `,\n"${name}":[`,
  entry: ({ entry, proof }, isFirst) =>
    `${isFirst ? '' : ','}\n{"entry":${jsonLine(entry).trimEnd()},"proof":${JSON.stringify(proof ?? null)}}`,
  endSection: () => ']',
  end: () => '}\n',
}

/** One file without anything from elsewhere, for reading and printing. */
const html: ReportForm = {
  begin: ({ resource, id }, createdAt) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Access report: ${escapeHtml(resource)} ${escapeHtml(id)}</title>
<style>${style}</style>
</head>
<body>
<h1>Access report: ${escapeHtml(resource)} ${escapeHtml(id)}</h1>
<p>Written ${momentText(createdAt)} from the audit log. Times are in UTC, the newest first.</p>
`,
  beginSection: ({ title }) => `<h2>${escapeHtml(title)}</h2>
<table>
<thead><tr><th>When</th><th>Who</th><th>What</th><th>Values</th><th>Proof</th></tr></thead>
<tbody>
`,
  entry: ({
    entry,
    proof,
  }) => `<tr><td>${momentText(entry.timestamp)}</td><td>${whoActed(entry)}</td><td>${whatWasDone(entry)}</td><td>${diffLines(
    entry,
  )
    .map((line) => `<p>${escapeHtml(line)}</p>`)
    .join('')}</td><td>${proofText(proof)}</td></tr>
`,
  endSection: (_, count) => `</tbody>
</table>
<p>${count === 0 ? 'None' : count === 1 ? 'One entry' : `${count.toLocaleString('en')} entries`}</p>
`,
  end: () => `</body>
</html>
`,
}

export const reportForms: Record<ReportFormat, ReportForm> = { html, json }

const style = `
body { font: 10pt/1.4 system-ui, sans-serif; margin: 2em; color: #111; background: #fff }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3em .6em .3em 0; border-bottom: 1px solid #ccc; overflow-wrap: anywhere }
th { border-bottom-color: #111 }
td p { margin: 0 }
small { color: #555 }
@media print { body { margin: 0 } thead { display: table-header-group } tr { break-inside: avoid } }
`

function whoActed({ actor, ip, reason, outcome }: AuditEntry): string {
  const details = [actor.type, actor.email, ip ?? undefined].filter((text) => text !== undefined)
  const why = reason !== null && outcome === 'success' ? `<p>${escapeHtml(reason)}</p>` : ''
  return `${escapeHtml(actor.id)} <small>${escapeHtml(details.join(', '))}</small>${why}`
}

function whatWasDone({ action, outcome, id }: AuditEntry): string {
  return `${escapeHtml(action)}${outcome === 'failure' ? ' (failed)' : ''}<p><small>${escapeHtml(id)}</small></p>`
}

/** Where the entry is in the sealed log; the JSON form has the proof itself. */
function proofText(proof: EntryProof | undefined): string {
  if (!proof) return 'not sealed'
  const [, index = ''] = /^index (\d+)$/m.exec(proof.proof) ?? []
  const [, origin = '', size = ''] = /\n\n(.*)\n(\d+)\n/.exec(proof.proof) ?? []
  return `sealed: leaf ${index} of ${size} <small>${escapeHtml(origin)}</small>`
}

function momentText(date: Date): string {
  return escapeHtml(date.toISOString().replace('T', ' ').replace('Z', ''))
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}
