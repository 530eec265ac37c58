/** A text as PostgreSQL can hold it: without the character with code zero and without halves of surrogate pairs. */
export function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

/** Whether PostgreSQL can hold a text as it is. */
export function isStorable(value: string): boolean {
  return !value.includes('\0') && value.isWellFormed()
}
