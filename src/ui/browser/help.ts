import type { ComponentChild } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { html } from './html.ts'
import { Icon } from './icons.ts'
import { keys } from './keyboard.ts'

/** What the keys do. */
export function Help({ open, close }: { open: boolean; close: () => void }): ComponentChild {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (open) dialog.current?.showModal()
    else dialog.current?.close()
  }, [open])
  return html`<dialog ref=${dialog} class="help" aria-labelledby="help-title" onClose=${close}
    onClick=${(event: Event) => event.target === dialog.current && close()}>
    <div class="help-body">
      <header><h2 id="help-title">Keys</h2>
        <button type="button" class="icon-button" onClick=${close} aria-label="Close the help"><${Icon} name="close" /></button></header>
      <dl>${keys.map(
        ([names, meaning]) => html`<div key=${meaning}>
          <dt>${names.map((name) => html`<kbd>${name}</kbd> `)}</dt><dd>${meaning}</dd></div>`,
      )}</dl>
      <p class="muted">Actions take stars: <code>user.*</code>, <code>*.export</code>. Every view has its own address to share.</p>
    </div>
  </dialog>`
}
