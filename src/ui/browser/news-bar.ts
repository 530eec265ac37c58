import type { ComponentChild } from 'preact'
import { html } from './html.ts'
import type { LoadedEntries } from './use-entries.ts'

/** Says that there are new entries, over the list: nothing moves until the reader asks for them. */
export function NewsBar({ list }: { list: LoadedEntries }): ComponentChild {
  const { entries, isPart, error } = list.news
  const count = entries.length
  const show = () => {
    list.showNews()
    const top = document.querySelector('.list, .life')
    if (top && top.getBoundingClientRect().top < 0) top.scrollIntoView({ block: 'start' })
  }
  return html`<div class="news" role="status">
    ${count > 0 && html`<button type="button" class="button" onClick=${show}>${count}${isPart ? '+' : ''} new ${count === 1 && !isPart ? 'entry' : 'entries'}</button>`}
    ${error && html`<span class="note">New entries are not looked for: ${error.message}</span>`}
  </div>`
}
