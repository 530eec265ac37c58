/** What to know of a contender to read its numbers. `test/peers.test.ts` holds them to it. */
export const limits: Readonly<Record<string, string>> = {
  'unaudited Prisma': 'what every cost is set against; it records nothing.',
  'prisma-extension-audit':
    'this library; the entry is written by the statement that changes the row, with actor, request and organization.',
  'named statements': 'the same clients with the `statementNameGenerator` option of `@prisma/adapter-pg`.',
  'row triggers':
    'generic triggers in the style of supa_audit. They see every row change, and do not know who made it, by which operation or in which request.',
  'read, write, insert by hand':
    'an extension as posts have it: reads the row, does the operation, inserts the log row. It records no nested writes, no cascades and no raw SQL, and leaves an interactive transaction of the caller for one of its own, so that its writes stay when the caller rolls back. A batch with a read or raw SQL beside its writes never comes back.',
  '@explita/prisma-audit-log':
    'version 0.2, with the model of its README. It records no nested writes, no cascades and no raw SQL; entries of an interactive transaction stay when it is rolled back.',
  'prisma-audit':
    'version 0.1, extension mode: whole states in a table for each model, none of what was before. It records no nested updates, no cascades and no raw SQL, leaves out columns that are lists and the tables of many-to-many relations, and leaves an interactive transaction of the caller for one of its own, so that its writes stay when the caller rolls back. A batch with a read or raw SQL beside its writes never comes back.',
  'prisma-audit, triggers':
    'version 0.1, trigger mode: the same tables, written by row triggers, with one entry a row and transaction. It leaves out the same columns and tables, leaves the transaction of the caller too, and does not come back from the same batches.',
}
