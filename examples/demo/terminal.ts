import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

const { FORCE_COLOR, NO_COLOR } = process.env
const isColoured = FORCE_COLOR ? FORCE_COLOR !== '0' : !NO_COLOR && process.stdout.isTTY === true

/** A cell of a table: what it says, and how it looks where colours are wanted. */
export interface Cell {
  readonly text: string
  readonly format?: Format | undefined
}

export function print(line = ''): void {
  process.stdout.write(`${line.trimEnd()}\n`)
}

export function paint(format: Format | undefined, text: string): string {
  return isColoured && format ? styleText(format, text, { validateStream: false }) : text
}

/** Makes text as wide as a column. Colours come later, as their codes have a length and no width. */
export function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)
}

export function printRow(cells: readonly Cell[], widths: readonly number[]): void {
  const columns = cells.map(({ text, format }, index) => paint(format, fit(text, widths[index] ?? 0)))
  print(`  ${columns.join('  ')}`)
}

export function printHeading(title: string, remark = ''): void {
  print()
  print(`${paint('bold', title)}  ${paint('dim', remark)}`)
  print()
}

/** One thing that worked out, or did not, with a remark at the end of the line. */
export function printStep(worked: boolean, text: string, remark: string): void {
  const mark = worked ? paint('green', '✓') : paint('red', '✗')
  print(`  ${mark} ${fit(text, 96)}  ${paint('dim', remark.padStart(18))}`)
}

export function secondsSince(begin: number): string {
  return `${((performance.now() - begin) / 1000).toFixed(1)} s`
}

export function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`
}
