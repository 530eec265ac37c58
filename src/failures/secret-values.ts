import type { Call } from '../log/call.ts'
import type { Log } from '../log/log.ts'
import type { DataModel } from '../models/data-model.ts'
import type { ResolvedOptions } from '../options.ts'

/**
 * The texts of the values in a call's arguments that the log must not hold: those of redacted fields, at any depth and
 * of any model. In a raw statement, nobody knows which field a value is for, so all its values count, parameters and
 * constants.
 */
export function secretValues(
  { options, dataModel }: Pick<Log, 'options' | 'dataModel'>,
  call: Call,
): string[] {
  const found = new Set<string>()
  if (call.model === undefined) collectRaw(call.args, found)
  else sweep(call.model, call.args, { dataModel, isRedacted: options.isRedacted, found })
  return [...found]
}

interface Sweep extends Pick<ResolvedOptions, 'isRedacted'> {
  readonly dataModel: DataModel
  readonly found: Set<string>
}

/** Names that are part of the arguments' syntax, even if a model has a field of that name. */
const argumentNames = new Set([
  ...['where', 'data', 'create', 'update', 'upsert', 'connect', 'connectOrCreate', 'set', 'disconnect'],
  ...['delete', 'createMany', 'updateMany', 'deleteMany', 'cursor', 'AND', 'OR', 'NOT'],
  ...['is', 'isNot', 'some', 'every', 'none', 'select', 'include'],
])

/** Better too much than too little: what looks like a redacted field is one. */
function sweep(model: string, value: unknown, context: Sweep): void {
  if (Array.isArray(value)) {
    for (const item of value) sweep(model, item, context)
    return
  }
  if (typeof value !== 'object' || value === null) return
  for (const [name, inner] of Object.entries(value)) {
    const field = context.dataModel.models[model]?.fields.find((one) => one.name === name)
    if (field?.kind === 'object') sweep(field.type, inner, context)
    else if (field && context.isRedacted(model, name)) collectTexts(inner, context.found)
    if (!field || argumentNames.has(name)) sweep(model, inner, context)
  }
}

/** Every text that a value may take in a message. */
function collectTexts(value: unknown, found: Set<string>): void {
  if (value === null || value === undefined || typeof value === 'boolean') return
  if (typeof value !== 'object') {
    found.add(String(value))
  } else if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) return
    const iso = value.toISOString()
    for (const text of [iso, iso.replace('T', ' ').slice(0, 19), iso.slice(0, 10)]) found.add(text)
  } else if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value)
    for (const encoding of ['utf8', 'hex', 'base64'] as const) found.add(bytes.toString(encoding))
  } else if ('toFixed' in value && typeof value.toFixed === 'function') {
    found.add(String(value)).add(String(value.toFixed())) // Decimal
  } else {
    for (const inner of Object.values(value)) collectTexts(inner, found)
  }
}

/** Strings, however they are quoted, and numbers. */
const constants =
  /\bE'(?<escaped>(?:''|\\.|[^'\\])*)'|'(?<plain>(?:''|[^'])*)'|\$(?<tag>[A-Za-z_]\w*)?\$(?<dollar>.*?)\$\k<tag>\$|(?<![\w$.])(?<number>\d+(?:\.\d+)?)/gis

/**
 * Where a value was put into the text between quotes and has a quote itself (`'O'Brien'`), parts of it look like the
 * statement's own words. Then every word counts as a value.
 */
function wordsOfBroken(text: string): string[] {
  const outside = text.replace(constants, (constant) => (/^\d/.test(constant) ? constant : '\0'))
  const isBroken =
    outside.includes("'") ||
    /[\p{L}\p{N}_]\0|\0[\p{L}\p{N}_]/u.test(outside.replace(/\b(?:[BXN]|U&)\0/gi, '\0'))
  return isBroken ? (text.match(/[\p{L}\p{N}_]+/gu) ?? []) : []
}

/** `Prisma.sql` and TypedSQL carry their values; the unsafe forms are a list of the text and its values. */
function collectRaw(args: unknown, found: Set<string>): void {
  const { sql, values } = args as { sql?: unknown; values?: unknown }
  const [text, ...parameters] = Array.isArray(args) ? args : [sql, ...(Array.isArray(values) ? values : [])]
  for (const parameter of parameters) collectTexts(parameter, found)
  if (typeof text !== 'string') return
  for (const word of wordsOfBroken(text)) found.add(word)
  for (const { groups = {} } of text.matchAll(constants)) {
    const { escaped, plain, dollar, number } = groups
    const constant =
      escaped?.replace(/''|\\(.)/gs, (pair, char) => char ?? pair[0]) ?? plain?.replaceAll("''", "'")
    collectTexts(constant ?? dollar ?? number, found)
  }
}
