import type { ComponentChild } from 'preact'
import { html } from './html.ts'

/** Says what went wrong and offers to try again. */
export function Problem({ error, retry }: { error: Error; retry: () => void }): ComponentChild {
  return html`<div class="state problem" role="alert">
    <h2>The log could not be read</h2>
    <p>${error.message}</p>
    <button type="button" class="button" onClick=${retry}>Try again</button>
  </div>`
}

export function Empty({ title, children }: { title: string; children?: ComponentChild }): ComponentChild {
  return html`<div class="state"><h2>${title}</h2>${children}</div>`
}

/** Placeholders while rows load. */
export function Skeleton({ rows }: { rows: number }): ComponentChild {
  return html`<div class="skeleton" role="status" aria-label="Loading entries">
    ${Array.from({ length: rows }, (_, index) => html`<div key=${index} class="skeleton-row"><i /><i /><i /><i /></div>`)}
  </div>`
}
