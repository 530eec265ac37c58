import type { ComponentChild } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { WireEntry } from '../wire.ts'
import { ask, useAnswer } from './api.ts'
import { ActorChip, Archived, Failed, RecordName, SourceNote, Verb } from './chips.ts'
import { CopyButton } from './copy-button.ts'
import { Diff, Value } from './diff.ts'
import { html } from './html.ts'
import { Icon } from './icons.ts'
import { addressOf, type Place } from './location.ts'
import { SealState } from './seal-state.ts'
import { Problem, Skeleton } from './states.ts'
import { linkTo } from './take-along.ts'
import { agoLong, exactTime, zoneTitle } from './time.ts'
import { isChange } from './transactions.ts'
import { type Details, parseDetails, printJson } from './values.ts'

/** An entry with all its contents. */
export function Detail({ known, place }: { known: WireEntry | undefined; place: Place }): ComponentChild {
  const id = place.entry as string
  const needed = !known || known.shortened || !isChange(known) ? id : undefined
  const { answer, error, retry } = useAnswer(needed, (signal) => ask(`entries/${id}`, {}, signal))
  const entry = answer?.id === id ? answer : known?.id === id ? known : undefined
  const panel = useRef<HTMLElement>(null)
  useEffect(() => panel.current?.scrollTo(0, 0), [id])
  return html`<aside class="detail" ref=${panel} tabindex="-1" id="detail" aria-label="Entry">
    <div class="detail-bar">
      <span class="muted">Entry</span>
      <span class="grow" />
      <a class="icon-button" href=${addressOf({ ...place, entry: undefined })} data-go title="Close (Esc)" aria-label="Close the entry">
        <${Icon} name="close" />
      </a>
    </div>
    ${error && html`<${Problem} error=${error} retry=${retry} />`}
    ${!error && !entry && html`<${Skeleton} rows=${5} />`}
    ${entry && html`<${Contents} entry=${entry} place=${place} loading=${entry.shortened && !error} />`}
  </aside>`
}

function Contents({
  entry,
  place,
  loading,
}: {
  entry: WireEntry
  place: Place
  loading: boolean
}): ComponentChild {
  const { resource } = entry
  const details = parseDetails(entry.details)
  const life: Place | undefined =
    resource.id === null ? undefined : { view: 'record', resource: resource.type, id: resource.id }
  return html`<header class="detail-head">
      <h2>
        <${Verb} action=${entry.action} />
        <${RecordName} resource=${resource} action=${entry.action} />
        ${entry.outcome !== 'success' && html`<${Failed} />`}
        ${entry.archivedIn && html`<${Archived} place=${entry.archivedIn} />`}
      </h2>
      <p class="detail-when"><time datetime=${entry.timestamp} title=${entry.timestamp}>${exactTime(entry.timestamp)}</time> ${zoneTitle(entry.timestamp)}
        <span class="muted"> · ${agoLong(entry.timestamp)}</span></p>
      <p><${ActorChip} actor=${entry.actor} detailed />
        ${details.source && html` <span class="muted"><${SourceNote} source=${details.source} /></span>`}</p>
      <${SealState} id=${entry.id} />
      ${entry.reason && html`<blockquote class=${entry.outcome === 'success' ? '' : 'is-failed'}>${entry.reason}</blockquote>`}
      <p class="detail-links">
        ${
          life &&
          place.view !== 'record' &&
          html`<a class="button" href=${addressOf(life)} data-go><${Icon} name="history" />Life of this record</a>`
        }
        ${isTogether(entry) && html`<a class="button" href=${addressOf({ ...around(entry), transaction: entry.transactionId })} data-go>Same transaction</a>`}
        <${CopyButton} text=${() => linkTo(place)} label="Copy link to this entry" labelled />
      </p>
    </header>
    ${loading && html`<${Skeleton} rows=${3} />`}
    ${!loading && html`<${Diff} details=${details} />`}
    <${Others} details=${details} />
    <${Facts} entry=${entry} details=${details} />
    <details class="raw">
      <summary>As stored</summary>
      <div class="raw-body">
        <${CopyButton} text=${() => asJson(entry, details)} label="Copy JSON" />
        <pre tabindex="0" aria-label="The entry as JSON">${asJson(entry, details)}</pre>
      </div>
    </details>`
}

/** Whether the entries of its transaction belong together; those of events may have been queued with others by chance. */
function isTogether(entry: WireEntry): boolean {
  return isChange(entry) || entry.besideChange === true
}

/** A day around an entry: transactions and requests are short, and have no index of their own. */
function around({ timestamp }: WireEntry): Place {
  const at = (difference: number) => new Date(Date.parse(timestamp) + difference * 43_200_000).toISOString()
  return { from: at(-1), to: at(1) }
}

/** The parts of the details other than rows: the other end of a link, a statement, metadata, an event's own details. */
function Others({ details }: { details: Details }): ComponentChild {
  const { before, after, changed, operation, cause, source, relation, target, ...others } = details
  const parts = Object.entries(others)
  if (!target && parts.length === 0) return null
  return html`<dl class="facts others">
    ${
      target &&
      html`<div><dt>${relation ?? 'target'}</dt><dd>
        ${
          target.id === null
            ? target.type
            : html`<a href=${addressOf({ view: 'record', resource: target.type, id: target.id })} data-go>
              <${RecordName} resource=${target} /></a>`
        }</dd></div>`
    }
    ${parts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd><${Value} value=${value} /></dd></div>`)}
  </dl>`
}

function Facts({ entry, details }: { entry: WireEntry; details: Details }): ComponentChild {
  const link = (target: Place, text: string) => html`<a href=${addressOf(target)} data-go>${text}</a>`
  const facts: [string, ComponentChild][] = [
    ['Action', link({ action: entry.action }, entry.action)],
    ['Actor', link({ actor: entry.actor.id }, entry.actor.id)],
    ['Operation', details.operation],
    ['Cause', details.cause],
    ['Role', details.source?.role],
    ['Application', details.source?.application],
    ['Connected from', details.source?.address],
    ['Request', entry.requestId && link({ ...around(entry), request: entry.requestId }, entry.requestId)],
    ['IP address', entry.ip],
    ['User agent', entry.userAgent],
    [
      'Organization',
      entry.organizationId && link({ organization: entry.organizationId }, entry.organizationId),
    ],
    [
      'Transaction',
      isTogether(entry)
        ? link({ ...around(entry), transaction: entry.transactionId }, entry.transactionId)
        : entry.transactionId,
    ],
    ['Sequence', entry.seq],
    ['Read from', entry.archivedIn ?? 'the table'],
    ['Entry id', html`${entry.id} <${CopyButton} text=${() => entry.id} label="Copy the id" />`],
  ]
  return html`<dl class="facts">
    ${facts.map(([name, value]) => value && html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`
}

function asJson(entry: WireEntry, details: Details): string {
  const { shortened: _, besideChange: __, archivedIn: ___, details: ____, ...columns } = entry
  return printJson({ ...columns, details: entry.details === null ? null : details }, '  ')
}
