import 'uplot/dist/uPlot.min.css'
import './style/index.css'
import { type ComponentChild, render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { WireOverview } from '../wire.ts'
import { ask, useAnswer } from './api.ts'
import { DeliveryView } from './delivery.ts'
import { FailedLogins } from './failed-logins.ts'
import { Help } from './help.ts'
import { html } from './html.ts'
import { Icon } from './icons.ts'
import { IntegrityView } from './integrity.ts'
import { listenToKeys } from './keyboard.ts'
import { formatNumber } from './language.ts'
import { addressOf, followLink, type Place, usePlace } from './location.ts'
import { RecordLife } from './record-life.ts'
import { toggleTheme, useTheme } from './theme.ts'
import { zoneTitle } from './time.ts'
import { Timeline } from './timeline.ts'
import { currentZone, toggleZone, useZone, zoneOffset } from './zone.ts'

function WebPage(): ComponentChild {
  const place = usePlace()
  useZone() // every time below is drawn anew
  const [help, setHelp] = useState(false)
  const { answer: overview } = useAnswer('overview', (signal) => ask('overview', {}, signal))
  useEffect(() => listenToKeys({ help: () => setHelp(true), theme: toggleTheme, zone: toggleZone }), [])
  useEffect(() => {
    document.title = titleOf(place, overview)
  }, [place, overview])
  return html`<div class="page" onClick=${followLink}>
    <a class="skip" href="#main">Skip to the entries</a>
    <${Header} place=${place} overview=${overview} help=${() => setHelp(true)} />
    <main id="main" tabindex="-1">${viewOf(place, overview)}</main>
    <${Help} open=${help} close=${() => setHelp(false)} />
  </div>`
}

function viewOf(place: Place, overview: WireOverview | undefined): ComponentChild {
  if (place.view === 'logins') return html`<${FailedLogins} place=${place} />`
  if (place.view === 'delivery') return html`<${DeliveryView} />`
  if (place.view === 'integrity') return html`<${IntegrityView} />`
  if (place.view === 'record' && place.resource && place.id)
    return html`<${RecordLife} place=${place} overview=${overview} />`
  return html`<${Timeline} place=${place} overview=${overview} />`
}

interface HeaderProps {
  place: Place
  overview: WireOverview | undefined
  help: () => void
}

function Header({ place, overview, help }: HeaderProps): ComponentChild {
  const theme = useTheme()
  const link = (target: Place, text: string, isHere: boolean) =>
    html`<a href=${addressOf(target)} data-go aria-current=${isHere ? 'page' : undefined}>${text}</a>`
  return html`<header class="top">
    <a class="brand" href=${addressOf({})} data-go><span class="logo"><${Icon} name="log" /></span>Audit log</a>
    <nav aria-label="Views">
      ${link({}, 'Timeline', place.view === undefined)}
      ${link({ view: 'logins' }, 'Failed logins', place.view === 'logins')}
      ${overview?.hasSinks && link({ view: 'delivery' }, 'Delivery', place.view === 'delivery')}
      ${overview?.hasSeals && link({ view: 'integrity' }, 'Integrity', place.view === 'integrity')}
    </nav>
    <span class="grow" />
    ${overview && html`<span class="source" title="Estimated by PostgreSQL's planner">${overview.name} <span class="muted">${entryCount(overview)}</span></span>`}
    <${ZoneButton} />
    <button type="button" class="icon-button" onClick=${toggleTheme} title="Light or dark (t)" aria-label=${`Switch to ${theme === 'dark' ? 'light' : 'dark'}`}>
      <${Icon} name=${theme === 'dark' ? 'sun' : 'moon'} />
    </button>
    <button type="button" class="icon-button" onClick=${help} title="Keys (?)" aria-label="Help"><b aria-hidden="true">?</b></button>
  </header>`
}

/** Whose clock all times are on. */
function ZoneButton(): ComponentChild {
  const now = new Date()
  const other = currentZone() === 'utc' ? 'your own time zone' : 'UTC'
  const title = `Times are in ${zoneTitle(now.toISOString())}. Switch to ${other} (u)`
  return html`<button type="button" class="icon-button zone" onClick=${toggleZone} title=${title}>
    <span class="hidden">Time zone: </span>${zoneOffset(now)}</button>`
}

function entryCount({ estimate, leftOut }: WireOverview): string {
  if (estimate < 1) return ''
  const rounded = estimate < 1000 ? estimate : Number(estimate.toPrecision(3))
  return `≈ ${formatNumber(rounded)} entries${leftOut ? ' in the table' : ''}`
}

function titleOf(place: Place, overview: WireOverview | undefined): string {
  return `${viewName(place)} · Audit log${overview ? ` · ${overview.name}` : ''}`
}

function viewName({ view, resource, id, actor, action }: Place): string {
  if (view === 'logins') return 'Failed logins'
  if (view === 'delivery') return 'Delivery'
  if (view === 'integrity') return 'Integrity'
  if (view === 'record') return `${resource} ${id}`
  return action ?? actor ?? resource ?? 'Timeline'
}

const pageRoot = document.getElementById('page')
if (pageRoot) {
  pageRoot.replaceChildren()
  render(html`<${WebPage} />` as never, pageRoot)
}
