import type { ComponentChild } from 'preact'
import type { WireIntegrity } from '../wire.ts'
import { ask, useAnswer } from './api.ts'
import { html } from './html.ts'
import { atMost, formatNumber } from './language.ts'
import { useLook } from './look.ts'
import { Empty, Problem } from './states.ts'
import { agoLong, timeTitle } from './time.ts'

/** The most that the database counts to. */
const mostWaiting = 100_000

/** What of the log is sealed, and how to check it. */
export function IntegrityView(): ComponentChild {
  const look = useLook()
  const { answer, error, retry } = useAnswer(String(look), (signal) => ask('integrity', {}, signal))
  return html`<header class="view-head"><h1>Integrity</h1></header>
    ${error && html`<${Problem} error=${error} retry=${retry} />`}
    ${answer && (answer.checkpoints.length === 0 ? html`<${Empty} title="No seals"><p>The log is not sealed, or the role of this page may not read its seals.</p><//>` : html`<${Seals} ...${answer} />`)}`
}

function Seals({ checkpoints, waiting }: WireIntegrity): ComponentChild {
  return html`<div class="cards"><section class="card integrity" aria-label="Checkpoints">
    <p>${waitingWords(waiting)}</p>
    <p>This page does not verify the log, and no result of a verification is stored. To check every entry, tree and signature, run
      <code>npx prisma-extension-audit verify --key audit.pub</code> with the public key.</p>
    <table>
      <thead><tr><th scope="col" class="number">checkpoint</th><th scope="col" class="number">entries</th><th scope="col">signed</th><th scope="col">key</th></tr></thead>
      <tbody>${checkpoints.map(
        ({ number, size, createdAt, keys }) => html`<tr key=${number}>
          <th scope="row" class="number">${formatNumber(number)}</th>
          <td class="number">${formatNumber(size)}</td>
          <td class="muted" title=${timeTitle(createdAt)}>${agoLong(createdAt)}</td>
          <td>${keys.join(', ')}</td>
        </tr>`,
      )}</tbody>
    </table>
  </section></div>`
}

function waitingWords({ entries, seconds }: WireIntegrity['waiting']): string {
  if (entries === 0) return 'Every committed entry is sealed.'
  const oldest = agoLong(new Date(Date.now() - seconds * 1000).toISOString())
  if (entries === 1)
    return `1 entry waits to be sealed. It was written ${oldest}, and nothing protects it yet.`
  return `${atMost(entries, mostWaiting)} entries wait to be sealed. The oldest was written ${oldest}, and nothing protects them yet.`
}
