let counter = 0

/** A text that no other test of the file has: `tag-7`. */
export function unique(prefix: string): string {
  return `${prefix}-${++counter}`
}
