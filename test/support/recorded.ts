import type { Entry } from './database.ts'

/** An entry without what is different in every run: `action`, the resource's `id`, and the details. */
export interface Recorded {
  action: string
  id: string | null
  // biome-ignore lint/suspicious/noExplicitAny: details differ by action
  [detail: string]: any
}

export function recorded({ action, resource_id: id, details }: Entry): Recorded {
  return { action, id, ...details }
}

/**
 * Entries in a line each: `user.update 1 [name]`, `post.connect p1 tags → tag 7`,
 * `comment.delete 3 because user.delete`.
 */
export function brief(entries: Recorded[]): string[] {
  return entries.map(({ action, id, changed, relation, target, cause }) =>
    [
      action,
      id ?? '(no id)',
      ...(changed ? [`[${changed.join(', ')}]`] : []),
      ...(relation ? [`${relation} → ${target.type} ${target.id}`] : []),
      ...(cause ? [`because ${cause}`] : []),
    ].join(' '),
  )
}

/** The same, in an order that does not depend on how rows come out of a statement. */
export function briefSorted(entries: Recorded[]): string[] {
  return brief(entries).sort()
}
