/**
 * What fields with `@updatedAt` are usually called, case and underscores ignored. An entry does not say which fields Prisma sets
 * by itself, and it may be read where no schema is.
 */
const updatedAtNames = new Set([
  ...['updatedat', 'updatedon', 'updateddate', 'updatetime', 'lastupdated', 'lastupdatedat', 'dateupdated'],
  ...['modifiedat', 'modifiedon', 'modifieddate', 'lastmodified', 'lastmodifiedat', 'datemodified'],
  ...['changedat', 'lastchanged', 'lastchangedat'],
])

/** The changed fields that are worth showing: a time of the last change only where nothing else changed. */
export function shownChanges(fields: readonly string[]): readonly string[] {
  const others = fields.filter((field) => !updatedAtNames.has(field.replaceAll('_', '').toLowerCase()))
  return others.length > 0 ? others : fields
}
