import type { ComponentChild } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { WireOverview } from '../wire.ts'
import { html } from './html.ts'
import { Icon } from './icons.ts'
import { addressOf, type FilterKey, filterKeys, filtersOf, goTo, type Place } from './location.ts'
import { fromLocalInput, shortTime, toLocalInput, utcMonth } from './time.ts'

export const lastOptions: readonly [value: string, label: string][] = [
  ['1h', 'Last hour'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
  ['90d', 'Last 90 days'],
]

/** The row of filters, and below it a chip for each that is set. */
export function Filters({
  place,
  overview,
}: {
  place: Place
  overview: WireOverview | undefined
}): ComponentChild {
  const [open, setOpen] = useState(false)
  const set = (change: Partial<Record<FilterKey, string | undefined>>) =>
    goTo({ ...place, entry: undefined, ...change })
  const active = filterKeys.filter((key) => place[key]).length
  return html`<form class=${`filters${open ? ' is-open' : ''}`} role="search" aria-label="Filter the log" onSubmit=${(event: Event) => event.preventDefault()}>
    <div class="filters-first">
      <label class="search">
        <${Icon} name="search" />
        <span class="hidden">Search text</span>
        <${TextInput} id="search" value=${place.text} placeholder="Search values, reasons, ids…" onChange=${(text: string) => set({ text })} live />
        <kbd aria-hidden="true">/</kbd>
      </label>
      <button type="button" class="button filters-toggle" aria-expanded=${open} aria-controls="filter-fields" onClick=${() => setOpen(!open)}>
        <${Icon} name="filter" />Filters${active > 0 && html` <span class="count">${active}</span>`}
      </button>
    </div>
    <div class="filter-fields" id="filter-fields">
      <${Choice} label="Resource" value=${place.resource} any="Any" options=${named(overview?.resourceTypes, place.resource)} onChange=${(resource: string) => set({ resource })} />
      <${Labelled} label="Record id"><${TextInput} value=${place.id} placeholder="Any" onChange=${(id: string) => set({ id })} /><//>
      <${Labelled} label="Actor">
        <${TextInput} value=${place.actor} placeholder="Any" list="actors" onChange=${(actor: string) => set({ actor })} />
        <datalist id="actors">${overview?.actors.map(({ id, email, type }) => html`<option value=${id}>${email ?? type}</option>`)}</datalist>
      <//>
      <${Labelled} label="Action">
        <${TextInput} value=${place.action} placeholder="Any, or user.*" list="actions" onChange=${(action: string) => set({ action })} />
        <datalist id="actions">${[...patterns(overview), ...(overview?.actions ?? [])].map((action) => html`<option value=${action} />`)}</datalist>
      <//>
      <${Labelled} label="Organization"><${TextInput} value=${place.organization} placeholder="Any" onChange=${(organization: string) => set({ organization })} /><//>
      <${Choice} label="Outcome" value=${place.outcome} any="Any" options=${[['success', 'Success'], ['failure', 'Failure']]} onChange=${(outcome: string) => set({ outcome })} />
      <${TimeRange} place=${place} set=${set} />
    </div>
    ${overview?.leftOut && html`<p class="note">The choices are what the table has, since ${utcMonth(overview.leftOut.before)}.</p>`}
    <${Chips} place=${place} />
  </form>`
}

function named(values: readonly string[] | undefined, chosen: string | undefined): [string, string][] {
  return [...new Set([...(values ?? []), ...(chosen ? [chosen] : [])])].map((value) => [value, value])
}

/** `*.login`, `*.export`: verbs that several resources may have. */
function patterns(overview: WireOverview | undefined): string[] {
  const verbs = overview?.actions.map((action) => action.slice(action.lastIndexOf('.') + 1)) ?? []
  return [...new Set(verbs)].map((verb) => `*.${verb}`)
}

function Labelled({ label, children }: { label: string; children: ComponentChild }): ComponentChild {
  return html`<label class="labelled"><span>${label}</span>${children}</label>`
}

interface ChoiceProps {
  label: string
  value: string | undefined
  any: string
  options: readonly (readonly [value: string, label: string])[]
  onChange: (value: string) => void
}

export function Choice({ label, value, any, options, onChange }: ChoiceProps): ComponentChild {
  return html`<${Labelled} label=${label}>
    <select class=${value ? 'is-set' : ''} value=${value ?? ''} onChange=${(event: Event) => onChange((event.target as HTMLSelectElement).value)}>
      ${any && html`<option value="">${any}</option>`}
      ${options.map(([option, text]) => html`<option value=${option} selected=${option === value}>${text}</option>`)}
    </select>
  <//>`
}

interface TextInputProps {
  id?: string
  value: string | undefined
  placeholder: string
  list?: string
  /** Reports each change after a pause, or when the reader is done. */
  live?: boolean
  onChange: (value: string) => void
}

function TextInput({ id, value = '', placeholder, list, live, onChange }: TextInputProps): ComponentChild {
  const [draft, setDraft] = useState(value)
  const timer = useRef(0)
  useEffect(() => setDraft(value), [value])
  const say = (text: string) => {
    clearTimeout(timer.current)
    if (text.trim() !== value) onChange(text.trim())
  }
  return html`<input
    ...${{ id, list, placeholder }}
    class=${value ? 'is-set' : ''}
    type="text"
    autocomplete="off"
    spellcheck=${false}
    maxlength="500"
    value=${draft}
    onInput=${(event: Event) => {
      const text = (event.target as HTMLInputElement).value
      setDraft(text)
      clearTimeout(timer.current)
      if (live) timer.current = setTimeout(() => say(text), 350) as unknown as number
    }}
    onChange=${(event: Event) => say((event.target as HTMLInputElement).value)}
    onKeyDown=${(event: KeyboardEvent) => event.key === 'Enter' && say((event.target as HTMLInputElement).value)}
  />`
}

interface TimeRangeProps {
  place: Place
  set: (change: Partial<Record<FilterKey, string | undefined>>) => void
}

function TimeRange({ place, set }: TimeRangeProps): ComponentChild {
  const [custom, setCustom] = useState(false)
  const between = custom || place.from !== undefined || place.to !== undefined
  const choose = (value: string) => {
    setCustom(value === 'custom')
    if (value !== 'custom') set({ last: value, from: undefined, to: undefined })
    else set({ last: undefined })
  }
  const moment = (key: 'from' | 'to', label: string) => html`<${Labelled} label=${label}>
    <input type="datetime-local" class=${place[key] ? 'is-set' : ''} value=${toLocalInput(place[key])}
      onChange=${(event: Event) => set({ [key]: fromLocalInput((event.target as HTMLInputElement).value), last: undefined })} />
  <//>`
  return html`<${Choice} label="Time" value=${between ? 'custom' : place.last} any="Any time" options=${[...lastOptions, ['custom', 'Between…']]} onChange=${choose} />
    ${between && moment('from', 'From')}${between && moment('to', 'To')}`
}

const chipLabels: Record<FilterKey, string> = {
  text: 'text',
  resource: 'resource',
  id: 'record',
  actor: 'actor',
  action: 'action',
  outcome: 'outcome',
  request: 'request',
  transaction: 'transaction',
  organization: 'organization',
  last: 'time',
  from: 'from',
  to: 'to',
}

function Chips({ place }: { place: Place }): ComponentChild {
  const set = filterKeys.filter((key) => place[key])
  if (set.length === 0) return null
  const show = (key: FilterKey, value: string) =>
    key === 'from' || key === 'to'
      ? Number.isNaN(Date.parse(value))
        ? value
        : shortTime(value)
      : key === 'last'
        ? (lastOptions.find(([option]) => option === value)?.[1] ?? value)
        : value
  const without = (key: FilterKey) => addressOf({ ...place, entry: undefined, [key]: undefined })
  return html`<div class="chips">
    ${set.map(
      (key) => html`<span class="chip" key=${key}>
        <span class="muted">${chipLabels[key]}</span> <b>${show(key, place[key] as string)}</b>
        <a href=${without(key)} data-go aria-label=${`Remove the filter ${chipLabels[key]}`}><${Icon} name="close" /></a>
      </span>`,
    )}
    <a class="link" href=${addressOf(place.view ? { view: place.view } : {})} data-go>Clear all</a>
  </div>`
}

/** Whether a place has any filters. */
export function isFiltered(place: Place): boolean {
  return Object.keys(filtersOf(place)).length > 0
}
