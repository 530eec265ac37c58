import { styleText } from 'node:util'
import { describeEntry, diffLines } from '../log/describe.ts'
import type { AuditEntry } from '../log/entry.ts'

/** An entry for people: a headline, and what changed below it. */
export function showEntry(entry: AuditEntry, { colors }: { colors: boolean }): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colors ? styleText(style, text, { validateStream: false }) : text
  const headline = paint(entry.outcome === 'failure' ? ['bold', 'red'] : 'bold', describeEntry(entry))
  const lines = diffLines(entry).map((line) => {
    const color = { '+': 'green', '−': 'red' }[line.charAt(0)] as 'green' | 'red' | undefined
    return `  ${color ? paint(color, line) : line}`
  })
  return `${[headline, ...lines].join('\n')}\n`
}
