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

function Seals({ checkpoints, waiting, verification }: WireIntegrity): ComponentChild {
  return html`<div class="cards"><section class="card integrity" aria-label="Checkpoints">
    <p>${waitingWords(waiting)}</p>
    <${LastVerification} verification=${verification} />
    <p>This page does not verify the log. To check every entry, tree and signature, run
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

/** Who owns the database could have written it, so the role that did is named. */
function LastVerification({ verification }: Pick<WireIntegrity, 'verification'>): ComponentChild {
  if (!verification) return html`<p>No result of a verification is stored.</p>`
  const { endedAt, result, size, entries, findings, anchored, role, sealedSince } = verification
  const said = {
    intact: 'nothing was altered',
    altered: `${formatNumber(findings)} ${findings === 1 ? 'thing does' : 'things do'} not fit`,
    stopped: 'nothing was altered, and it was stopped before the end',
  }[result]
  const compared = `${formatNumber(entries)} of ${formatNumber(size)} sealed entries compared, ${anchored === null ? 'without an anchor' : `${formatNumber(anchored)} anchored`}`
  return html`<p class=${`verification is-${result}`}>Last verified <span title=${timeTitle(endedAt)}>${agoLong(endedAt)}</span> by the role ${role}: ${said} (${compared}). ${formatNumber(sealedSince)} ${sealedSince === 1 ? 'entry was' : 'entries were'} sealed since. That is what the database has stored, and no proof.</p>`
}

function waitingWords({ entries, seconds }: WireIntegrity['waiting']): string {
  if (entries === 0) return 'Every committed entry is sealed.'
  const oldest = agoLong(new Date(Date.now() - seconds * 1000).toISOString())
  if (entries === 1)
    return `1 entry waits to be sealed. It was written ${oldest}, and nothing protects it yet.`
  return `${atMost(entries, mostWaiting)} entries wait to be sealed. The oldest was written ${oldest}, and nothing protects them yet.`
}
