import type { ComponentChild } from 'preact'
import type { WireEntry } from '../wire.ts'
import { verbOf } from './action.ts'
import { html } from './html.ts'
import { Icon } from './icons.ts'
import type { Source } from './values.ts'

const hues = 8

/**
 * Who acted: a mark in the actor's own colour, and the name, preferably the e-mail address, since an id may be just a
 * number.
 */
export function ActorChip({
  actor,
  detailed = false,
}: {
  actor: WireEntry['actor']
  detailed?: boolean
}): ComponentChild {
  const { id, type, email } = actor
  const mark =
    type === 'user'
      ? html`<span class="avatar" data-hue=${hash(id) % hues} aria-hidden="true">${initials(id, email)}</span>`
      : html`<span class="avatar machine" aria-hidden="true"><${Icon} name=${type === 'api_key' ? 'key' : 'gear'} /></span>`
  const name = email ?? id
  const at = email ? name.lastIndexOf('@') : -1 // a phone has no room for the domain
  const [account, domain] = at > 0 ? [name.slice(0, at), name.slice(at)] : [name, '']
  const about = [type === 'api_key' ? 'API key' : type, email && id].filter(Boolean).join(' · ')
  return html`<span class="actor" title=${`${name} (${about})`}>
    ${mark}<span class="actor-name">${account}${domain && html`<span class="domain">${domain}</span>`}</span>
    ${detailed && html`<span class="muted">${about}</span>`}
  </span>`
}

/** `ada.lovelace@…` → `AL`, `user-19` → `U19`. */
function initials(id: string, email: string | null): string {
  const name = email?.split('@')[0] ?? id
  const [one = id, other] = name.match(/\p{L}+|\p{N}{1,2}/gu) ?? []
  return `${other === undefined ? one.slice(0, 2) : `${one[0]}${/\d/.test(other) ? other : other[0]}`}`.toUpperCase()
}

function hash(text: string): number {
  let sum = 0
  for (let index = 0; index < text.length; index++) sum = (sum * 31 + text.charCodeAt(index)) >>> 0
  return sum
}

/** What was done, in the colour of the verb. */
export function Verb({ action }: { action: string }): ComponentChild {
  const { verb, kind } = verbOf(action)
  return html`<span class=${`verb verb-${kind}`} title=${action}>${verb}</span>`
}

/** A record as `country CV`. */
export function RecordName({
  resource,
  action,
}: {
  resource: WireEntry['resource']
  action?: string
}): ComponentChild {
  const { type, id } = resource
  // an event can be about a different resource than its action names
  const named =
    action !== undefined && action.slice(0, action.lastIndexOf('.')) !== type ? `${action} · ${type}` : type
  return html`<span class="record" title=${id === null ? type : `${type} ${id}`}>
    <span class="record-type">${named}</span>${id !== null && html` <span class="record-id">${id}</span>`}
  </span>`
}

/** Who the database says it was, where the change did not come from the audited client: `by psql as reporting`. */
export function SourceNote({ source }: { source: Source }): ComponentChild {
  const { role, application, address } = source
  const parts = [application && `by ${application}`, role && `as ${role}`]
  const from = address ? `, connected from ${address}` : ''
  return html`<span class="source" title=${`Not by the audited client. Role ${role}${from}`}>${parts.filter(Boolean).join(' ')}</span>`
}

/** Where an entry was read from, if not from the table. */
export function Archived({ place }: { place: string }): ComponentChild {
  return html`<span class="archived" title=${`Left the table, and was read from ${place === 'archive' ? 'the archive' : place}`}>archive</span>`
}

export function Failed(): ComponentChild {
  return html`<span class="failed">failed</span>`
}
