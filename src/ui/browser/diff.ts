import type { ComponentChild } from 'preact'
import { useState } from 'preact/hooks'
import { erasedValue } from '../../values/erased.ts'
import { redactedValue } from '../../values/redacted.ts'
import { shownChanges } from '../../values/updated-at.ts'
import { html } from './html.ts'
import { JsonRows } from './json-rows.ts'
import { formatNumber } from './language.ts'
import { commonEnds, type Details, isObject, showValue } from './values.ts'

const longText = 600

/** A record's fields before and after, side by side: the changed ones first; on demand the others, and a time of the last change. */
export function Diff({ details }: { details: Details }): ComponentChild {
  const { before, after } = details
  if (!isObject(before) && !isObject(after)) return null
  const fields = [...new Set([...Object.keys(after ?? {}), ...Object.keys(before ?? {})])]
  const isUpdate = isObject(before) && isObject(after)
  const changed = isUpdate ? (details.changed ?? []) : fields
  const shown = shownChanges(changed)
  const usual = changed.filter((field) => !shown.includes(field))
  const same = fields.filter((field) => !changed.includes(field))
  const kind = isUpdate ? 'update' : isObject(after) ? 'create' : 'delete'
  return html`<section class="diff" aria-label="Fields">
    <${FieldTable} ...${{ kind, before, after, fields: shown, isChanged: true }} />
    ${
      usual.length > 0 &&
      html`<details class="unchanged">
        <summary>${usual.join(', ')}, as with every change</summary>
        <${FieldTable} ...${{ kind, before, after, fields: usual, isChanged: true }} />
      </details>`
    }
    ${
      same.length > 0 &&
      html`<details class="unchanged">
        <summary>${same.length} unchanged ${same.length === 1 ? 'field' : 'fields'}</summary>
        <${FieldTable} ...${{ kind, before, after, fields: same, isChanged: false }} />
      </details>`
    }
  </section>`
}

/** A record as it is, or was. */
export function Fields({ row }: { row: Record<string, unknown> }): ComponentChild {
  return html`<${FieldTable} kind="create" before=${undefined} after=${row} fields=${Object.keys(row)} isChanged=${false} />`
}

interface FieldTableProps {
  kind: 'create' | 'update' | 'delete'
  before: Record<string, unknown> | undefined
  after: Record<string, unknown> | undefined
  fields: readonly string[]
  isChanged: boolean
}

function FieldTable({ kind, before, after, fields, isChanged }: FieldTableProps): ComponentChild {
  const heading = {
    create: ['Value'],
    delete: ['Value'],
    update: isChanged ? ['Before', 'After'] : ['Value'],
  }[kind]
  return html`<table class=${`fields ${kind}${isChanged ? ' is-changed' : ''}`}>
    <thead><tr><th scope="col">Field</th>${heading.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>
    <tbody>
      ${fields.map((field) => {
        const [one, other] = [before?.[field], after?.[field]]
        if (heading.length === 2 && isJson(one) && isJson(other)) {
          return html`<${JsonRows} key=${field} field=${field} was=${one} is=${other} />`
        }
        const single = kind === 'delete' ? one : other
        return html`<tr key=${field}>
          <th scope="row">${field}</th>
          ${
            heading.length === 2
              ? html`<td class="was"><${Value} value=${one} other=${other} /></td>
                  <td class="is"><${Value} value=${other} other=${one} /></td>`
              : html`<td class=${isChanged ? (kind === 'delete' ? 'was' : 'is') : ''}><${Value} value=${single} /></td>`
          }
        </tr>`
      })}
    </tbody>
  </table>`
}

function isJson(value: unknown): boolean {
  return isObject(value) || Array.isArray(value)
}

/** A value as text, with the part marked that differs from `other`. */
export function Value({ value, other }: { value: unknown; other?: unknown }): ComponentChild {
  const [whole, setWhole] = useState(false)
  if (value === undefined) return html`<span class="nothing">absent</span>`
  if (value === null) return html`<span class="nothing">null</span>`
  if (value === '') return html`<span class="nothing">empty text</span>`
  if (value === redactedValue) return html`<span class="nothing">redacted</span>`
  if (value === erasedValue) return html`<span class="nothing">erased</span>`
  const text = showValue(value)
  const cut = !whole && text.length > longText
  const shown = cut ? text.slice(0, longText) : text
  return html`<span class="value">${marked(shown, other)}</span>
    ${cut && html`<button type="button" class="link" onClick=${() => setWhole(true)}>… ${formatNumber(text.length - longText)} characters more</button>`}`
}

function marked(text: string, other: unknown): ComponentChild {
  if (other === undefined || other === null) return text
  const otherText = showValue(other)
  const [begin, end] = commonEnds(text, otherText)
  // texts with little in common are easier to read without marks, on both sides
  if (begin + end < Math.max(3, text.length / 3, otherText.length / 3)) return text
  return html`${text.slice(0, begin)}<mark>${text.slice(begin, text.length - end)}</mark>${text.slice(text.length - end)}`
}
