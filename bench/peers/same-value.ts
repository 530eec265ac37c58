import { stableJson } from './stable-json.ts'

/** Whether a recorded value is the true one, in whatever form: a decimal as number or text, bytes as base64 or list. */
export function sameValue(truth: string | null, recorded: unknown): boolean {
  if (truth === null) return recorded === null || recorded === undefined
  if (recorded === null || recorded === undefined) return false
  if (typeof recorded === 'object') return sameJson(truth, recorded) || sameBytes(truth, bytesOf(recorded))
  const text = String(recorded)
  return (
    text === truth ||
    sameNumber(truth, recorded) ||
    sameTime(truth, text) ||
    sameBytes(truth, Buffer.from(text, 'base64')) ||
    sameJson(truth, recorded)
  )
}

function sameNumber(truth: string, recorded: unknown): boolean {
  const isNumber = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i
  if (!isNumber.test(truth) || !isNumber.test(String(recorded))) return false
  if (typeof recorded === 'number') return Number(truth) === recorded
  return withoutZeros(truth) === withoutZeros(String(recorded))
}

function withoutZeros(number: string): string {
  return number.includes('.') && !/e/i.test(number) ? number.replace(/\.?0+$/, '') : number
}

function sameTime(truth: string, recorded: string): boolean {
  const isDay = /^\d{4}-\d\d-\d\d/
  if (!isDay.test(truth) || !isDay.test(recorded)) return false
  return timeOf(truth) === timeOf(recorded)
}

/** The tables have no time zones: what stands there is UTC. */
function timeOf(text: string): number {
  const time = text.length === 10 ? `${text}T00:00:00` : text.replace(' ', 'T')
  return Date.parse(/(Z|[+-]\d\d(:\d\d)?)$/.test(time.slice(10)) ? time : `${time}Z`)
}

function sameBytes(truth: string, recorded: Uint8Array | undefined): boolean {
  return (
    recorded !== undefined &&
    truth.startsWith('\\x') &&
    truth === `\\x${Buffer.from(recorded).toString('hex')}`
  )
}

/** `{ type: 'Buffer', data: [0, 1] }` and `{ 0: 0, 1: 1 }`, as JSON has a Buffer and a Uint8Array. */
function bytesOf(recorded: object): Uint8Array | undefined {
  const bytes = 'data' in recorded && Array.isArray(recorded.data) ? recorded.data : Object.values(recorded)
  return bytes.every((byte) => Number.isInteger(byte)) ? Uint8Array.from(bytes as number[]) : undefined
}

function sameJson(truth: string, recorded: unknown): boolean {
  try {
    return stableJson(JSON.parse(truth)) === stableJson(recorded)
  } catch {
    return false // the truth is no JSON
  }
}
