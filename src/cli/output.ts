import type { AuditEntry } from '../log/entry.ts'
import { jsonLine } from '../log/json-line.ts'
import { showEntry } from './show-entries.ts'

/** @returns the exit code of a command that has no more to do */
export function print(output: string): 0 {
  process.stdout.write(output)
  return 0
}

/** Beside the output, which others may read. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

export function printEntry(entry: AuditEntry, json: boolean | undefined): void {
  print(json ? jsonLine(entry) : showEntry(entry, { colors: hasColors() }))
}

/** Whether the standard output shows colours. */
export function hasColors(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR
}
