import { isDeepStrictEqual } from 'node:util'

/** The fields in which two versions of a record differ. A field that only one of them has counts as different. */
export function differingFields(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): string[] {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return fields.filter((field) => !isDeepStrictEqual(before[field], after[field]))
}
