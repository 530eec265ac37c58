import type { ComponentChild } from 'preact'
import type { LoginGroup } from '../wire.ts'
import { ask, filterParameters, useAnswer } from './api.ts'
import { Activity } from './chart.ts'
import { Detail } from './detail.ts'
import { EntryList } from './entry-list.ts'
import { Choice, lastOptions } from './filters.ts'
import { html } from './html.ts'
import { formatNumber } from './language.ts'
import { addressOf, goTo, type Place } from './location.ts'
import { Empty, Problem } from './states.ts'
import { agoLong, timeTitle } from './time.ts'
import { useEntries } from './use-entries.ts'

/** Who failed to log in, how often, and from where. */
export function FailedLogins({ place }: { place: Place }): ComponentChild {
  const last = place.last ?? (place.from || place.to ? undefined : '7d')
  const range: Place = Object.fromEntries(
    Object.entries({ last, from: place.from, to: place.to }).filter(([, value]) => value !== undefined),
  )
  const filter: Place = {
    ...range,
    action: '*.login',
    outcome: 'failure',
    ...(place.actor && { actor: place.actor }),
    ...(place.text && { text: place.text }),
  }
  const list = useEntries(filter)
  const { answer, error, retry } = useAnswer(JSON.stringify([range, list.version]), (signal) =>
    ask('failed-logins', filterParameters(range), signal),
  )
  const known = list.entries.find(({ id }) => id === place.entry)
  const empty = html`<${Empty} title="No failed logins"><p>There are no failed logins in this time, or the application does not record logins.</p><//>`
  return html`<header class="view-head">
      <h1>Failed logins</h1>
      ${answer && html`<p class="figures"><span><b>${formatNumber(answer.counted)}${answer.complete ? '' : '+'}</b> failed ${answer.counted === 1 ? 'attempt' : 'attempts'}</span></p>`}
      <span class="grow" />
      <${Choice} label="Time" value=${last ?? 'custom'} any="" options=${[...lastOptions, ...(last ? [] : [['custom', 'Chosen on the chart'] as const])]}
        onChange=${(value: string) => goTo({ view: 'logins', last: value })} />
    </header>
    <${Activity} place=${{ ...place, view: 'logins' }} filter=${filter} version=${list.version} />
    ${error && html`<${Problem} error=${error} retry=${retry} />`}
    ${
      answer &&
      answer.counted > 0 &&
      html`<div class="cards">
        <${Groups} title="By account" groups=${answer.actors} others="addresses" link=${(key: string) => addressOf({ ...range, view: 'logins', actor: key })} />
        <${Groups} title="By address" groups=${answer.addresses} others="accounts" link=${(key: string) => addressOf({ ...range, view: 'logins', text: key })} />
      </div>`
    }
    ${
      (place.actor || place.text) &&
      html`<div class="chips"><span class="chip"><span class="muted">${place.actor ? 'account' : 'address'}</span> <b>${place.actor ?? place.text}</b></span>
        <a class="link" href=${addressOf({ ...range, view: 'logins' })} data-go>Show all</a></div>`
    }
    <div class=${`split${place.entry ? ' has-detail' : ''}`}>
      <section class="list" aria-label="Failed logins"><${EntryList} list=${list} place=${{ ...place, view: 'logins' }} empty=${empty} /></section>
      ${place.entry && html`<${Detail} known=${known} place=${place} />`}
    </div>`
}

interface GroupsProps {
  title: string
  groups: readonly LoginGroup[]
  /** What `LoginGroup.others` counts. */
  others: string
  link: (key: string) => string
}

function Groups({ title, groups, others, link }: GroupsProps): ComponentChild {
  const most = Math.max(...groups.map(({ count }) => count), 1)
  return html`<section class="card">
    <h2>${title}</h2>
    <table>
      <thead><tr><th scope="col">${title.replace('By ', '')}</th><th scope="col" class="number">failed</th><th scope="col" class="number">${others}</th><th scope="col">last</th></tr></thead>
      <tbody>
        ${groups.slice(0, 8).map(
          ({ key, count, others: different, newest }) => html`<tr key=${key}>
            <th scope="row">${key === null ? html`<span class="nothing">unknown</span>` : html`<a href=${link(key)} data-go>${key}</a>`}</th>
            <td class="number"><meter class="share" min="0" max=${most} value=${count} aria-hidden="true" /><span class="count-of">${formatNumber(count)}</span></td>
            <td class="number">${formatNumber(different)}</td>
            <td class="muted" title=${timeTitle(newest)}>${agoLong(newest)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </section>`
}
