import type { Entry } from './database.ts'

/** What happened: `tag.create`. */
export function actions(entries: readonly Entry[]): string[] {
  return entries.map(({ action }) => action)
}

/** What happened to which row: `tag.create 7`. */
export function steps(entries: readonly Entry[]): string[] {
  return entries.map(({ action, resource_id }) => `${action} ${resource_id}`)
}
