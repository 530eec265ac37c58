/** Collects the values of a statement and gives the placeholders for them. */
export class QueryParameters {
  readonly values: unknown[] = []

  /** @param type what PostgreSQL makes of the value: `text`, `timestamptz`, `text[]` */
  add(value: unknown, type: string): string {
    return `$${this.values.push(value)}::${type}`
  }
}
