import type { ComponentChild } from 'preact'
import type { WireOverview } from '../wire.ts'
import { Activity } from './chart.ts'
import { Detail } from './detail.ts'
import { EntryList, NoMatches } from './entry-list.ts'
import { Filters, isFiltered } from './filters.ts'
import { html } from './html.ts'
import { addressOf, filtersOf, type Place } from './location.ts'
import { useEntries } from './use-entries.ts'

/** Everything that happened, newest first. */
export function Timeline({
  place,
  overview,
}: {
  place: Place
  overview: WireOverview | undefined
}): ComponentChild {
  const filter = filtersOf(place)
  const list = useEntries(filter)
  const known = list.entries.find(({ id }) => id === place.entry)
  const empty = html`<${NoMatches} clear=${isFiltered(place) ? addressOf({}) : undefined} />`
  return html`<${Filters} place=${place} overview=${overview} />
    <${Activity} place=${place} filter=${filter} version=${list.version} />
    <div class=${`split${place.entry ? ' has-detail' : ''}`}>
      <section class="list" aria-label="Entries"><${EntryList} list=${list} place=${place} empty=${empty} /></section>
      ${place.entry && html`<${Detail} known=${known} place=${place} />`}
    </div>`
}
