import { Component, type ComponentChild } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { WireEntry } from '../wire.ts'
import { ActorChip, Archived, Failed, RecordName, SourceNote, Verb } from './chips.ts'
import { html } from './html.ts'
import { formatNumber } from './language.ts'
import { addressOf, type Place } from './location.ts'
import { NewsBar } from './news-bar.ts'
import { Empty, Problem, Skeleton } from './states.ts'
import { summarize } from './summary.ts'
import { agoShort, clockTime, dayOf, shortTime, timeTitle } from './time.ts'
import { realTransactions } from './transactions.ts'
import type { LoadedEntries } from './use-entries.ts'
import { parseDetails } from './values.ts'
import { useZone, type Zone } from './zone.ts'

/** Entries in rows, with a heading for each day; older ones load as the reader reaches the end. */
export function EntryList({
  list,
  place,
  empty,
}: {
  list: LoadedEntries
  place: Place
  empty: ComponentChild
}): ComponentChild {
  const { entries, loading, error, hasMore, stoppedAt, loadMore } = list
  const zone = useZone()
  const transactions = useMemo(() => realTransactions(entries), [entries])
  if (error && entries.length === 0) return html`<${Problem} error=${error} retry=${loadMore} />`
  if (entries.length === 0 && loading) return html`<${Skeleton} rows=${12} />`
  if (entries.length === 0 && !hasMore) return html`<${NewsBar} list=${list} />${empty}`

  let [day, previous]: [string, WireEntry | undefined] = ['', undefined]
  const rows: ComponentChild[] = []
  for (const entry of entries) {
    const next = dayOf(entry.timestamp)
    if (next !== day) rows.push(html`<h2 class="day" key=${`day ${next}`}>${next}</h2>`)
    const follows =
      next === day &&
      previous?.transactionId === entry.transactionId &&
      transactions.has(entry.transactionId) &&
      previous.actor.id === entry.actor.id
    rows.push(
      html`<${Row} key=${entry.id} entry=${entry} place=${place} selected=${place.entry === entry.id} follows=${follows} hideReason=${follows && previous?.reason === entry.reason} zone=${zone} />`,
    )
    ;[day, previous] = [next, entry]
  }
  return html`<${NewsBar} list=${list} />
  <div class="rows" aria-busy=${loading}>
    ${rows}
    <${ListEnd} ...${{ loading, error, hasMore, stoppedAt, loadMore, count: entries.length }} />
  </div>`
}

interface RowProps {
  entry: WireEntry
  place: Place
  selected: boolean
  /** The entry above has the same transaction and actor. */
  follows: boolean
  /** The entry above has the same reason. */
  hideReason: boolean
  zone: Zone
}

/** Drawn once, and again only when selected: a list may have thousands. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    const { entry, selected, follows } = this.props
    return (
      next.entry !== entry ||
      next.selected !== selected ||
      next.follows !== follows ||
      next.zone !== this.props.zone ||
      next.place.view !== this.props.place.view
    )
  }

  override render({ entry, place, selected, follows, hideReason }: RowProps): ComponentChild {
    const failed = entry.outcome !== 'success'
    const recent = Date.now() - Date.parse(entry.timestamp) < 86_400_000
    return html`<a
      class=${`row${follows ? ' follows' : ''}${failed ? ' is-failed' : ''}`}
      href=${addressOf({ ...place, entry: entry.id })}
      data-go
      data-entry=${entry.id}
      aria-current=${selected ? 'true' : undefined}
    >
      <span class="cell-time" title=${timeTitle(entry.timestamp)}>
        <time datetime=${entry.timestamp}>${clockTime(entry.timestamp)}</time>
        ${recent && !follows && html`<span class="ago">${agoShort(entry.timestamp)}</span>`}
      </span>
      <span class="cell-actor"><${ActorChip} actor=${entry.actor} /></span>
      <span class="cell-verb"><${Verb} action=${entry.action} /></span>
      <span class="cell-record"><${RecordName} resource=${entry.resource} action=${entry.action} /></span>
      <span class="cell-summary">
        ${failed && html`<${Failed} /> `}${entry.archivedIn && html`<${Archived} place=${entry.archivedIn} /> `}<${SummaryText} entry=${entry} hideReason=${hideReason} />
      </span>
    </a>`
  }
}

function SummaryText({ entry, hideReason }: { entry: WireEntry; hideReason: boolean }): ComponentChild {
  const details = parseDetails(entry.details)
  const { parts, more } = summarize(entry, details)
  const reason = hideReason ? null : entry.reason
  return html`${parts.map(
    ({ field, from, to }) => html`<span class="part">
      ${field && html`<span class="field">${field}</span> `}
      ${from !== undefined && html`<span class="from">${from}</span>`}
      ${from !== undefined && to !== undefined && html`<span class="muted" aria-label="to"> → </span>`}
      ${to !== undefined && html`<span class="to">${to}</span>`}
    </span> `,
  )}
  ${more > 0 && html`<span class="muted part">+${more} more</span>`}
  ${reason && html`<span class="reason part">“${reason}”</span>`}
  ${details.source && html`<span class="muted part"><${SourceNote} source=${details.source} /></span>`}`
}

/** Loads older entries when it becomes visible, or by a button. */
function ListEnd({
  loading,
  error,
  hasMore,
  stoppedAt,
  loadMore,
  count,
}: Pick<LoadedEntries, 'loading' | 'error' | 'hasMore' | 'stoppedAt' | 'loadMore'> & {
  count: number
}): ComponentChild {
  const end = useRef<HTMLDivElement>(null)
  const automatic = hasMore && !loading && !error && stoppedAt === null
  useEffect(() => {
    if (!automatic || !end.current) return
    const observer = new IntersectionObserver(([seen]) => seen?.isIntersecting && loadMore(), {
      rootMargin: '600px',
    })
    observer.observe(end.current)
    return () => observer.disconnect()
  }, [automatic, loadMore])

  if (error) return html`<${Problem} error=${error} retry=${loadMore} />`
  return html`<div class="list-end" ref=${end} role="status">
    ${loading && html`<span class="muted">Loading older entries…</span>`}
    ${
      !loading &&
      stoppedAt !== null &&
      html`<p class="note">
        Searched back to <time datetime=${stoppedAt} title=${timeTitle(stoppedAt)}>${shortTime(stoppedAt)}</time> and
        stopped there, so as not to keep the database busy. There may be older matches.
      </p>`
    }
    ${
      !loading &&
      hasMore &&
      html`<button type="button" class="button" onClick=${loadMore}>
        ${stoppedAt === null ? 'Older entries' : 'Search further back'}
      </button>`
    }
    ${!loading && !hasMore && html`<span class="muted">${count === 1 ? 'The only entry' : `The end: ${formatNumber(count)} entries`}</span>`}
  </div>`
}

/** What to say when nothing matches. */
export function NoMatches({ clear }: { clear: string | undefined }): ComponentChild {
  return clear === undefined
    ? html`<${Empty} title="The log is empty">
        <p>The first change through the audited client will be its first entry.</p>
      <//>`
    : html`<${Empty} title="No entry matches">
        <p>Nothing in the log fits all of these filters.</p>
        <a class="button" href=${clear} data-go>Clear the filters</a>
      <//>`
}
