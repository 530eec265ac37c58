/** A text that PostgreSQL can hold: without the character with code zero and without halves of surrogate pairs. */
export function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

/** Whether PostgreSQL can hold a text as it is. */
export function isStorable(value: string): boolean {
  return !value.includes('\0') && value.isWellFormed()
}

/**
 * A regular expression, the same in PostgreSQL and in JavaScript, for JSON text that json can hold and jsonb can't: the
 * character with code zero, half a surrogate pair, a number beyond numeric. Case does not matter.
 */
export const beyondJsonb = String.raw`\\u(0000|d[89a-f])|(^|[:,\[\s])-?\d+(\.\d+)?e[+-]?\d{6,}([,}\]\s]|$)`
