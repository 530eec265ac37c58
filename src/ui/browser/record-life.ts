import type { ComponentChild } from 'preact'
import { shownChanges } from '../../values/updated-at.ts'
import type { WireEntry, WireOverview } from '../wire.ts'
import { ActorChip, Archived, Failed, SourceNote, Verb } from './chips.ts'
import { Detail } from './detail.ts'
import { Diff, Fields } from './diff.ts'
import { html } from './html.ts'
import { addressOf, filtersOf, type Place } from './location.ts'
import { NewsBar } from './news-bar.ts'
import { Empty, Problem, Skeleton } from './states.ts'
import { TakeAlong } from './take-along.ts'
import { agoLong, exactTime, shortTime, timeTitle, utcMonth } from './time.ts'
import { useEntries } from './use-entries.ts'
import { type Details, isObject, parseDetails } from './values.ts'

/** Everything that ever happened to one record, as a vertical history. */
export function RecordLife({
  place,
  overview,
}: {
  place: Place
  overview: WireOverview | undefined
}): ComponentChild {
  const { resource = '', id = '' } = place
  const filter = { ...filtersOf(place), resource, id }
  const list = useEntries(filter)
  const { entries, error, loading, hasMore, loadMore } = list
  const known = entries.find((entry) => entry.id === place.entry)
  return html`<header class="record-head">
      <nav class="crumbs muted" aria-label="Where this is">
        <a href=${addressOf({})} data-go>Timeline</a> / <a href=${addressOf({ resource })} data-go>${resource}</a> /
      </nav>
      <h1><span class="record-type">${resource}</span> <span class="record-id">${id}</span></h1>
      ${entries.length > 0 && html`<${Figures} entries=${entries} hasMore=${hasMore} />`}
      <${TakeAlong} filter=${filter} place=${place} />
    </header>
    <div class=${place.entry ? 'split has-detail' : 'life-and-state'}>
      <section class="life" aria-label="History">
        <${NewsBar} list=${list} />
        ${error && entries.length === 0 && html`<${Problem} error=${error} retry=${loadMore} />`}
        ${loading && entries.length === 0 && html`<${Skeleton} rows=${6} />`}
        ${!loading && !error && entries.length === 0 && html`<${Empty} title="Nothing is known about this record"><p>The log has no entry about ${resource} ${id}.</p><//>`}
        <ol>${groups(entries).map((group) => html`<${Moment} key=${group[0]?.id} group=${group} place=${place} />`)}</ol>
        ${entries.length > 0 && error && html`<${Problem} error=${error} retry=${loadMore} />`}
        ${hasMore && html`<button type="button" class="button" disabled=${loading} onClick=${loadMore}>Older entries</button>`}
        ${overview?.leftOut?.isListed === false && html`<p class="note">Entries from before ${utcMonth(overview.leftOut.before)} may be in the archive, which this page was not given.</p>`}
      </section>
      ${place.entry ? html`<${Detail} known=${known} place=${place} />` : html`<${LastState} entries=${entries} />`}
    </div>`
}

/** The record as the newest change left it, or as it was when it was deleted. */
function LastState({ entries }: { entries: readonly WireEntry[] }): ComponentChild {
  for (const entry of entries) {
    if (entry.outcome !== 'success' || entry.shortened) continue
    const { before, after, changed } = parseDetails(entry.details)
    const row = after ?? before
    // with `snapshot: 'changed'` an update has only some of the fields
    const isWhole =
      changed === undefined || Object.keys(after ?? {}).some((field) => !changed.includes(field))
    if (isObject(row) && isWhole) {
      return html`<aside class="state-now" aria-label="Last known state">
        <h2>${after ? 'Last known state' : 'When it was deleted'}</h2>
        <${Fields} row=${row} />
      </aside>`
    }
  }
  return null
}

function Figures({ entries, hasMore }: { entries: readonly WireEntry[]; hasMore: boolean }): ComponentChild {
  const [newest, oldest] = [entries[0], entries.at(-1)] as [WireEntry, WireEntry]
  const actors = new Set(entries.map(({ actor }) => actor.id)).size
  const gone = /\.delete$/.test(newest.action) && newest.outcome === 'success'
  return html`<p class="figures">
    <span><b>${entries.length}${hasMore && '+'}</b> ${entries.length === 1 ? 'entry' : 'entries'}</span>
    <span><b>${actors}</b> ${actors === 1 ? 'actor' : 'actors'}</span>
    <span>${hasMore ? 'shown since' : 'since'} <b title=${timeTitle(oldest.timestamp)}>${shortTime(oldest.timestamp)}</b></span>
    <span>${gone ? 'deleted' : 'last changed'} <b title=${timeTitle(newest.timestamp)}>${agoLong(newest.timestamp)}</b></span>
  </p>`
}

/** Links of one relation made in one transaction are grouped: a country gets all of its languages at once. */
function groups(entries: readonly WireEntry[]): WireEntry[][] {
  const found: WireEntry[][] = []
  for (const entry of entries) {
    const group = found.at(-1)
    const last = group?.at(-1)
    const isLink = /\.(dis)?connect$/.test(entry.action)
    if (
      group &&
      last &&
      isLink &&
      last.transactionId === entry.transactionId &&
      linkOf(last) === linkOf(entry)
    )
      group.push(entry)
    else found.push([entry])
  }
  return found
}

function linkOf({ action, details }: WireEntry): string {
  return `${action} ${parseDetails(details).relation}`
}

function Moment({ group, place }: { group: WireEntry[]; place: Place }): ComponentChild {
  const [first] = group as [WireEntry]
  const chosen = group.some(({ id }) => id === place.entry)
  const details = parseDetails(first.details)
  return html`<li class=${`moment verb-${kindOf(first)}`} aria-current=${chosen ? 'true' : undefined}>
    <div class="moment-head">
      <${Verb} action=${first.action} />
      ${first.outcome !== 'success' && html`<${Failed} />`}
      ${first.archivedIn && html`<${Archived} place=${first.archivedIn} />`}
      <${ActorChip} actor=${first.actor} />
      <a class="moment-time" href=${addressOf({ ...place, entry: first.id })} data-go data-entry=${first.id} title=${timeTitle(first.timestamp)}>
        <time datetime=${first.timestamp}>${exactTime(first.timestamp).slice(0, 19)}</time>
      </a>
      <span class="muted">${agoLong(first.timestamp)}</span>
    </div>
    ${first.reason && html`<p class="reason">“${first.reason}”</p>`}
    ${details.cause && html`<p class="muted">set off by ${details.cause}</p>`}
    ${details.source && html`<p class="muted"><${SourceNote} source=${details.source} /></p>`}
    <${Links} group=${group} />
    ${first.shortened ? html`<p class="muted">${shownChanges(details.changed ?? []).join(', ')} (open the entry for the values)</p>` : html`<${Diff} details=${details} />`}
  </li>`
}

function kindOf({ action }: WireEntry): string {
  return action.slice(action.lastIndexOf('.') + 1)
}

function Links({ group }: { group: WireEntry[] }): ComponentChild {
  const links = group
    .map(({ details }) => parseDetails(details))
    .filter(({ target }) => isObject(target)) as (Details & {
    target: { type: string; id: string | null }
  })[]
  if (links.length === 0) return null
  return html`<p class="links">
    ${links[0]?.relation && html`<span class="field">${links[0].relation}</span> `}
    ${links.map(({ target }) =>
      target.id === null
        ? html`<span class="chip">${target.type}</span>`
        : html`<a class="chip" href=${addressOf({ view: 'record', resource: target.type, id: target.id })} data-go>
            <span class="muted">${target.type}</span> <b>${target.id}</b></a>`,
    )}
  </p>`
}
