import type { ComponentChild } from 'preact'
import { dataAddress, filterParameters } from './api.ts'
import { CopyButton } from './copy-button.ts'
import { html } from './html.ts'
import { Icon } from './icons.ts'
import { addressOf, type Place } from './location.ts'

const formats = [
  ['csv', 'CSV', 'for spreadsheets'],
  ['ndjson', 'NDJSON', 'one entry a line, with all details'],
] as const

/** What the reader can take along: the entries that are shown as a file, and the address of the view. */
export function TakeAlong({ filter, place }: { filter: Place; place: Place }): ComponentChild {
  const fileAddress = (format: string) => dataAddress('export', { format, ...filterParameters(filter) })
  return html`<span class="take-along">
    <details class="menu" onFocusOut=${closeWhenLeft}>
      <summary class="button"><${Icon} name="download" />Export</summary>
      <div class="menu-items">
        ${formats.map(
          ([format, name, use]) => html`<a key=${format} href=${fileAddress(format)} download
            onClick=${(event: MouseEvent) => {
              // "the last hour" is the one before the click
              const link = event.currentTarget as HTMLAnchorElement
              link.href = fileAddress(format)
              link.closest('details')?.removeAttribute('open')
            }}><b>${name}</b> <span class="muted">${use}</span></a>`,
        )}
      </div>
    </details>
    <${CopyButton} text=${() => linkTo(place)} label="Copy link" labelled />
  </span>`
}

/** The whole address of a place, to send to a colleague. */
export function linkTo(place: Place): string {
  return `${location.origin}${addressOf(place)}`
}

function closeWhenLeft(event: FocusEvent): void {
  const menu = event.currentTarget as HTMLDetailsElement
  if (event.relatedTarget && !menu.contains(event.relatedTarget as Node)) menu.open = false
}
