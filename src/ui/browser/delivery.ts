import type { ComponentChild } from 'preact'
import type { WireDelivery } from '../wire.ts'
import { ask, useAnswer } from './api.ts'
import { html } from './html.ts'
import { atMost, formatNumber } from './language.ts'
import { useLook } from './look.ts'
import { Empty, Problem } from './states.ts'
import { agoLong, timeTitle } from './time.ts'

/** The most that the database counts to. */
const [mostBehind, mostHeldBack] = [100_000, 10_000]

/** How far the sinks are that get a copy of the log, and what holds them back. */
export function DeliveryView(): ComponentChild {
  const look = useLook()
  const { answer, error, retry } = useAnswer(String(look), (signal) => ask('delivery', {}, signal))
  return html`<header class="view-head"><h1>Delivery</h1></header>
    ${error && html`<${Problem} error=${error} retry=${retry} />`}
    ${answer && (answer.sinks.length === 0 ? html`<${Empty} title="No sinks"><p>The log is delivered to no sink.</p><//>` : html`<${Sinks} ...${answer} />`)}`
}

function Sinks({ sinks, heldBack, holder }: WireDelivery): ComponentChild {
  return html`<div class="cards"><section class="card delivery" aria-label="Sinks" tabindex="0">
    <table>
      <thead><tr><th scope="col">sink</th><th scope="col">process</th><th scope="col" class="number">entries behind</th><th scope="col" class="number">oldest</th><th scope="col" class="number">batches</th><th scope="col">last acknowledged</th></tr></thead>
      <tbody>${sinks.map(
        ({ name, isHeld, entries, seconds, batches, acknowledgedAt }) => html`<tr key=${name}>
          <th scope="row">${name}</th>
          <td>${isHeld ? 'at work' : html`<b class="warning">none at work</b>`}</td>
          <td class="number">${atMost(entries, mostBehind)}</td>
          <td class="number">${entries === 0 ? html`<span class="muted">up to date</span>` : `${formatNumber(Math.round(seconds))} s`}</td>
          <td class="number">${formatNumber(Number(batches))}</td>
          <td class="muted" title=${acknowledgedAt ? timeTitle(acknowledgedAt) : undefined}>${acknowledgedAt ? agoLong(acknowledgedAt) : 'never'}</td>
        </tr>`,
      )}</tbody>
    </table>
    ${holder && html`<p class="held-back">${heldBackBy(heldBack, holder)}</p>`}
  </section></div>`
}

function heldBackBy(
  heldBack: number,
  { pid, gid, application, user, database, since }: NonNullable<WireDelivery['holder']>,
): string {
  const entries = `${atMost(heldBack, mostHeldBack)} committed ${heldBack === 1 ? 'entry waits' : 'entries wait'}`
  const about = [application, user && `role ${user}`].filter(Boolean).join(', ')
  const who = gid === null ? `process ${pid}` : `the prepared transaction ${gid}`
  const where = `${about && ` (${about})`}${database ? ` in the database ${database}` : ''}`
  return `${entries} for ${who}${where}: its transaction ${since ? `began ${agoLong(since)}` : 'is open'}.`
}
