/** Whether an action of a filter has a `*`. */
export function isPattern(action: string): boolean {
  return action.includes('*')
}

/** `user.*` → `user.%`, with LIKE's own wildcards escaped. */
export function likePattern(pattern: string): string {
  return escapeLike(pattern).replace(/\*+/g, '%')
}

export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
