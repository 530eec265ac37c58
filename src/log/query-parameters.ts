/** Collects the values of a statement and returns their placeholders. */
export class QueryParameters {
  readonly values: unknown[] = []

  /** @param type the value's type in PostgreSQL: `text`, `timestamptz`, `text[]` */
  add(value: unknown, type: string): string {
    return `$${this.values.push(value)}::${type}`
  }
}
