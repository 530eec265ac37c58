import { types } from 'node:util'
import { redactedValue } from './redacted.ts'
import { isDecimal } from './resource-id.ts'
import { isStorable } from './storable.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Far deeper than anything people read, and far from where PostgreSQL's parser runs out of stack. */
const deepest = 100

/** Why the log can't hold a value: `details.call is a function, which JSON can't hold`. */
export class NotJson extends Error {
  override readonly name = 'NotJson'
}

/**
 * A value as JSON by the log's rules (docs/entries.md, "Values"): BigInt, Decimal, NaN and infinities are strings,
 * dates ISO 8601 in UTC, bytes base64, a Map an object, a Set an array, an Error its name and message; `toJSON` is
 * honoured. Undefined values are left out, and null inside an array.
 *
 * @param name the value's name in an error: `details`
 * @param isRedacted whether the value at a path of keys must be hidden
 * @throws NotJson for what JSON or PostgreSQL can't hold: functions, symbols, cycles, invalid dates, NUL characters,
 * lone surrogates, more than 100 levels
 */
export function toJson(
  value: unknown,
  name: string,
  isRedacted: (path: readonly string[]) => boolean = () => false,
): Json | undefined {
  return new Conversion(name, isRedacted).run(value)
}

class Conversion {
  readonly #name: string
  readonly #isRedacted: (path: readonly string[]) => boolean
  readonly #path: string[] = []
  readonly #ancestors = new Set<object>()

  constructor(name: string, isRedacted: (path: readonly string[]) => boolean) {
    this.#name = name
    this.#isRedacted = isRedacted
  }

  run(value: unknown): Json | undefined {
    try {
      return this.#convert(value)
    } catch (error) {
      if (error instanceof NotJson) throw error
      return this.#refuse("can't be read", error) // a getter, a toJSON or a proxy of the application threw
    }
  }

  #convert(value: unknown): Json | undefined {
    switch (typeof value) {
      case 'undefined':
      case 'boolean':
        return value
      case 'string':
        return this.#text(value)
      case 'number':
        return Number.isFinite(value) ? value + 0 : String(value) // JSON has no -0
      case 'bigint':
        return value.toString()
      case 'object':
        return value === null ? null : this.#object(value)
      default:
        return this.#refuse(`is a ${typeof value}, which JSON can't hold`)
    }
  }

  #object(value: object): Json | undefined {
    // before toJSON, which would return an exponent, another shape, or null
    if (isDecimal(value)) return this.#text(String(value.toFixed()))
    if (types.isDate(value)) return this.#date(value)
    const bytes = bytesOf(value)
    if (bytes) return bytes.toString('base64')
    if (types.isBoxedPrimitive(value)) return this.#convert(value.valueOf())
    if (hasToJson(value)) {
      const given = value.toJSON(this.#path.at(-1) ?? '')
      if (given !== value) return this.#convert(given)
    }

    if (this.#ancestors.has(value)) return this.#refuse('refers back to an object that contains it')
    if (this.#ancestors.size === deepest) return this.#refuse(`has more than ${deepest} levels`)
    this.#ancestors.add(value)
    const parts = this.#parts(value)
    this.#ancestors.delete(value)
    return parts
  }

  #parts(value: object): Json {
    if (types.isMap(value)) return this.#map(value)
    if (types.isSet(value)) return this.#items([...value])
    if (Array.isArray(value)) return this.#items(value)
    if (ArrayBuffer.isView(value)) return this.#items(Array.from(value as Float64Array))
    if (types.isNativeError(value)) return this.#fields(['name', 'message'], (key) => Reflect.get(value, key))
    if (isOpaque(value)) return this.#refuse(`is a ${value.constructor.name}, which JSON can't hold`)
    return this.#fields(Object.keys(value), (key) => Reflect.get(value, key))
  }

  #map(map: ReadonlyMap<unknown, unknown>): Json {
    const items = new Map([...map].map(([key, item]) => [this.#mapKey(key), item]))
    if (items.size < map.size) return this.#refuse('is a Map with two keys that are the same in JSON')
    return this.#fields([...items.keys()], (key) => items.get(key))
  }

  #items(items: readonly unknown[]): Json[] {
    return Array.from(items, (item, index) => this.#at(String(index), () => this.#convert(item)) ?? null)
  }

  #fields(keys: readonly string[], read: (key: string) => unknown): { [key: string]: Json } {
    const fields = keys.flatMap((key) => {
      const json = this.#at(key, () => this.#field(key, read(key)))
      return json === undefined ? [] : [[key, json] as const]
    })
    return Object.fromEntries(fields) // an assignment to the key __proto__ would set the prototype
  }

  #field(key: string, item: unknown): Json | undefined {
    if (!isStorable(key)) return this.#refuse('has a NUL character or a lone surrogate in its name')
    const isAbsent = item === null || item === undefined
    return !isAbsent && this.#isRedacted(this.#path) ? redactedValue : this.#convert(item)
  }

  #mapKey(key: unknown): string {
    const isPrimitive = ['string', 'number', 'bigint', 'boolean'].includes(typeof key)
    return isPrimitive ? String(key) : this.#refuse(`is a Map with a key that is a ${typeof key}`)
  }

  #text(text: string): string {
    return isStorable(text) ? text : this.#refuse('holds a NUL character or a lone surrogate')
  }

  #date(date: Date): string {
    return Number.isNaN(date.getTime()) ? this.#refuse('is an invalid Date') : date.toISOString()
  }

  #at<T>(key: string, work: () => T): T {
    this.#path.push(key)
    const result = work()
    this.#path.pop()
    return result
  }

  #refuse(problem: string, cause?: unknown): never {
    throw new NotJson(`${[this.#name, ...this.#path].join('.')} ${problem}`, { cause })
  }
}

export function isJsonObject(json: Json | undefined): json is { [key: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function'
}

function bytesOf(value: object): Buffer | undefined {
  if (types.isUint8Array(value) || value instanceof DataView) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  return types.isAnyArrayBuffer(value) ? Buffer.from(value) : undefined
}

/** Built-in objects that JSON would write as `{}`, since their content is not in their properties. */
function isOpaque(value: object): boolean {
  return (
    types.isPromise(value) ||
    types.isRegExp(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isGeneratorObject(value)
  )
}
