/** `1 entry`, `12,345 entries` */
export function quantity(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/** The same for entries, with digits alone: `12345 entries` */
export function countedEntries(count: number): string {
  return `${count} ${count === 1 ? 'entry' : 'entries'}`
}
