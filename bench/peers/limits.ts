/** What to know of a contender to read its numbers. `test/peers.test.ts` holds them to it. */
export const limits: Readonly<Record<string, string>> = {
  'unaudited Prisma': 'what every cost is set against; it records nothing.',
  'prisma-extension-audit with triggers':
    'this library, the recommended way: row triggers write the entry, and the statement tells them the actor, request and organization.',
  'prisma-extension-audit':
    'this library without triggers: the statement that changes the row writes its entry, too.',
  'named statements': 'the same clients with the `statementNameGenerator` option of `@prisma/adapter-pg`.',
  'row triggers with the same entry':
    'triggers written by hand, with each table spelled out, that write what this library writes, into the same table with the same indexes, but for operation and cause, which nobody tells them. They take actor, request and organization from a setting that each connection has from its start, as all calls here have the same. An application of many users has to set it in a transaction with each operation, which takes three more round trips than these numbers have.',
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
