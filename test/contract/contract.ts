import { readFileSync } from 'node:fs'
import { Prisma } from '../generated/client/client.ts'

/** What test/contract/cases.json has: what both halves, TypeScript and Python, do with the same input. */
export interface Contract {
  readonly errorCodes: string[]
  readonly secretNames: string[]
  /** Events, and the row or the refusal that comes of them. Columns that a row leaves out are null. */
  readonly events: (Outcome & { record: object })[]
  /** Contexts, and what they make of the entry of a change to a table with triggers. */
  readonly changes: (Outcome & { row: Record<string, unknown> })[]
  readonly helpers: (Outcome & { call: [helper: string, ...parameters: unknown[]] })[]
  /** Values, written with tags for what JSON lacks, and the JSON that the log has. */
  readonly values: { name: string; value: unknown; json?: unknown; refused?: string }[]
  /** What a request's context is, as far as the case says. */
  readonly requests: {
    name: string
    headers: Record<string, string>
    peer: string | null
    context: Record<string, unknown>
  }[]
  /** A log, and the pages that questions to it give. */
  readonly log: Record<string, unknown>[]
  readonly questions: {
    ask: [helper: string, ...parameters: unknown[]]
    limit: number
    ids: string[]
    cursor: string | null
    next: string[]
  }[]
}

interface Outcome {
  readonly name: string
  readonly context?: object
  readonly row?: Record<string, unknown>
  readonly refused?: { code: string; message: string }
}

export const contract = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8')) as Contract

/** The columns of an entry that are the same each time. */
export const comparedColumns = [
  ...['action', 'actor_id', 'actor_type', 'actor_email', 'resource_type', 'resource_id', 'outcome', 'reason'],
  ...['details', 'request_id', 'ip', 'user_agent', 'organization_id'],
]

/** A row of a case with the columns that it leaves out. */
export function wholeRow(row: Record<string, unknown>): Record<string, unknown> {
  const empty = Object.fromEntries(comparedColumns.map((column) => [column, null]))
  return { ...empty, outcome: 'success', ...row }
}

const tags: Record<string, (value: never) => unknown> = {
  $float: (text: string) => Number(text),
  $integer: (text: string) => BigInt(text),
  $decimal: (text: string) => new Prisma.Decimal(text),
  $date: (text: string) => new Date(text),
  $bytes: (text: string) => Buffer.from(text, 'base64'),
  $map: (pairs: [unknown, unknown][]) => new Map(pairs.map(([key, item]) => [untagged(key), untagged(item)])),
  $set: (items: unknown[]) => new Set(items.map(untagged)),
  $error: ([, message]: [string, string]) => new RangeError(message),
  $function: () => () => {},
  $cycle: () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = { again: cycle }
    return cycle
  },
  $deep: (levels: number) => {
    let value: object = {}
    for (let level = 1; level < levels; level++) value = { a: value }
    return value
  },
}

/** A case's value as an application has it. */
export function untagged(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(untagged)
  const [[key = '', content] = []] = Object.entries(value)
  const make = Object.hasOwn(tags, key) ? tags[key] : undefined
  if (make) return make(content as never)
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, untagged(item)]))
}
