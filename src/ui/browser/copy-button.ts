import type { ComponentChild } from 'preact'
import { useState } from 'preact/hooks'
import { html } from './html.ts'
import { Icon } from './icons.ts'

/** Copies a text. Absent when the browser offers no clipboard: on plain HTTP from another machine. */
export function CopyButton({ text, label }: { text: string; label: string }): ComponentChild {
  const [copied, setCopied] = useState(false)
  if (!navigator.clipboard) return null
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => {
        setCopied(true)
        setTimeout(() => setCopied(false), 1500)
      },
      () => {}, // the reader refused, and can select the text instead
    )
  return html`<button type="button" class="icon-button small" onClick=${copy} title=${label} aria-label=${label}>
    ${copied ? html`<span class="copied" role="status">Copied</span>` : html`<${Icon} name="copy" />`}
  </button>`
}
