import type { ComponentChild } from 'preact'
import { useState } from 'preact/hooks'
import { html } from './html.ts'
import { Icon } from './icons.ts'

interface CopyButtonProps {
  /** Asked for at the click. */
  readonly text: () => string
  readonly label: string
  /** Shows the label beside the icon. */
  readonly labelled?: boolean
}

/** Copies a text. Absent when the browser offers no clipboard: on plain HTTP from another machine. */
export function CopyButton({ text, label, labelled = false }: CopyButtonProps): ComponentChild {
  const [copied, setCopied] = useState(false)
  if (!navigator.clipboard) return null
  const copy = () =>
    navigator.clipboard.writeText(text()).then(
      () => {
        setCopied(true)
        setTimeout(() => setCopied(false), 1500)
      },
      () => {}, // the reader refused, and can select the text instead
    )
  const done = html`<span class="copied" role="status">Copied</span>`
  return labelled
    ? html`<button type="button" class="button" onClick=${copy}><${Icon} name="copy" />${copied ? done : label}</button>`
    : html`<button type="button" class="icon-button small" onClick=${copy} title=${label} aria-label=${label}>
        ${copied ? done : html`<${Icon} name="copy" />`}
      </button>`
}
