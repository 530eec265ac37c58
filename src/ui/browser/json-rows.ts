import type { ComponentChild } from 'preact'
import { useState } from 'preact/hooks'
import { html } from './html.ts'
import { isChanged, type Line, type LinePair, pairLines } from './json-lines.ts'

/** Lines that are shown around a change, and the fewest that are worth folding. */
const [around, fewestFolded] = [2, 4]

/** A changed field of JSON: its lines side by side, those far from any change folded. */
export function JsonRows({ field, was, is }: { field: string; was: unknown; is: unknown }): ComponentChild {
  const [isOpen, setOpen] = useState(false)
  const pairs = pairLines(was, is)
  const parts = isOpen ? [pairs] : folded(pairs)
  const rows = parts.flatMap((part) =>
    'count' in part
      ? [
          html`<td colspan="2"><button type="button" class="link" onClick=${() => setOpen(true)}>… ${part.count} lines that are the same</button></td>`,
        ]
      : part.map(
          ({ was, is }) => html`<${JsonCell} line=${was} side="was" isChanged=${isChanged({ was, is })} />
            <${JsonCell} line=${is} side="is" isChanged=${isChanged({ was, is })} />`,
        ),
  )
  return rows.map(
    (cells, index) => html`<tr class=${index < rows.length - 1 ? 'json-line' : ''} key=${`${field} ${index}`}>
      ${index === 0 && html`<th scope="row" rowspan=${rows.length}>${field}</th>`}${cells}
    </tr>`,
  )
}

interface JsonCellProps {
  line: Line | undefined
  side: 'was' | 'is'
  isChanged: boolean
}

function JsonCell({ line, side, isChanged }: JsonCellProps): ComponentChild {
  if (line === undefined) return html`<td />`
  const { from, to } = line
  const text = line.text.replace(/^ +/, (indent) => '\u00a0'.repeat(indent.length)) // no line breaks there
  return html`<td class=${isChanged ? side : 'same'}><span class="value">${
    from < to ? html`${text.slice(0, from)}<mark>${text.slice(from, to)}</mark>${text.slice(to)}` : text
  }</span></td>`
}

/** Stretches of lines, and how many lines lie folded between them. */
function folded(pairs: readonly LinePair[]): (readonly LinePair[] | { readonly count: number })[] {
  const isNear = pairs.map((_, index) =>
    pairs.slice(Math.max(0, index - around), index + around + 1).some(isChanged),
  )
  const parts: (readonly LinePair[] | { readonly count: number })[] = []
  for (let begin = 0; begin < pairs.length; ) {
    const change = isNear.findIndex((near, index) => index > begin && near !== isNear[begin])
    const end = change === -1 ? pairs.length : change
    const isFolded = !isNear[begin] && end - begin >= fewestFolded
    parts.push(isFolded ? { count: end - begin } : pairs.slice(begin, end))
    begin = end
  }
  return parts
}
