/** A file, or the name of a test in it, and why. */
type Differences = Readonly<Record<string, string | Readonly<Record<string, string>>>>

const because = (why: string, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, why]))

const rowsInstead = 'triggers record the rows, where the statement alone leaves its text'
const noText = 'so nothing of the kind is left to refuse, or to record as raw.execute'
const otherOptions = 'has clients of several options on one table; triggers have one'
const ownPrivilege = 'triggers write with the privileges of whoever made them'

/**
 * The tests that show something else where triggers record the tables: what the statement alone cannot capture, and how
 * it does what it can. Everything else has the same entries in every set-up.
 */
export const differences: Differences = {
  // how the statement does it
  'test/capture/rewrite.test.ts': 'the text of statements that write their entries',
  'test/capture/statements.test.ts':
    'which statements go out; test/triggers/client.test.ts has those of watched tables',
  'test/capture/recorder.test.ts': 'the function that statements write their entries with',
  'test/capture/upsert-race.test.ts':
    'how often a statement is repeated that comes too early; triggers need no repetition',
  'test/capture/referential-actions/models-not-recorded.test.ts': otherOptions,

  // what the statement alone cannot capture
  'test/capture/raw/uncapturable.test.ts': {
    ...because(rowsInstead, [
      'several statements',
      'MERGE',
      'a WITH clause that writes',
      'a WITH clause that writes before a SELECT',
      'a function that may write',
      'a function that may write, deep inside',
      'a function that may write in FROM',
      'a function that may write in VALUES',
      'COPY of a function that may write',
      'CALL',
      'DO',
      'COPY FROM',
      'TRUNCATE',
      'EXECUTE',
      'EXPLAIN ANALYZE',
      'EXPLAIN (ANALYZE)',
      'EXPLAIN ANALYZE of a function that may write',
      'WHERE CURRENT OF',
      'a view',
      'RETURNING * beside another table',
      'RETURNING * beside a join that merges columns, in a table with a trigger',
      'RETURNING the star of another table',
    ]),
    ...because(
      `${rowsInstead}, ${noText}`,
      [
        'MERGE',
        'a WITH clause that writes',
        'a WITH clause that writes before a SELECT',
        'COPY FROM',
        'TRUNCATE',
        'EXPLAIN ANALYZE',
        'EXPLAIN (ANALYZE)',
        'RETURNING * beside another table',
        'RETURNING * beside a join that merges columns, in a table with a trigger',
        'RETURNING the star of another table',
      ].map((name) => `${name} is refused before it runs, with uncapturable: 'throw'`),
    ),
    ...because(`${rowsInstead}, ${noText}`, [
      'has the context of its call',
      'commits with its statement, under the same transaction id as what comes with it',
      'keeps words apart where a comment stood between them',
    ]),
  },
  'test/capture/exactness/before-triggers.test.ts': {
    'that marks a row instead: it is recorded as the update that it is':
      'the update has no cause: it is a statement of the trigger, which the statement alone cannot tell from the cascade',
    ...because(rowsInstead, [
      'says that rows without a key may be gone',
      'says that a row without a key, or one that is no longer found, was kept',
      'that changes the key of a row that an action reaches: one entry says that it was not found',
      'that changes a key which the statement does not assign: one entry says that others may have followed',
    ]),
  },
  'test/capture/exactness/chosen-once.test.ts': because(rowsInstead, [
    'a deletion that cascades and returns what it joined',
    'an update of a key by a query that can be asked once',
    'an update with chance in a join, in a table with a trigger',
  ]),
  'test/capture/exactness/returning-star.test.ts': because(rowsInstead, [
    'records a join that merges columns and joins the old rows as text only',
  ]),
  'test/capture/exactness/row-security.test.ts': because(
    'triggers record every row, whoever may see it, where the statement can only say that something is missing',
    [
      'a deletion that cascades, of rows that the role may not update',
      'rows that a referential action changes behind a policy: what is missing is said',
      'an INSERT of a row that the role may not see',
      'an UPDATE that reads nothing, of rows that the role may not see',
      'an UPDATE of all rows through the model',
      'an INSERT without the right to read',
      'an INSERT with the right to read the columns that it returns',
      'a deletion that cascades into a table that the role may not read',
      'a write that may not be recorded whole is refused with uncapturable: throw',
      'a role that a transaction takes on is asked for',
    ],
  ),
  'test/capture/raw/templates.test.ts': { 'is captured as raw SQL is': rowsInstead },
  'test/failures/reason.test.ts': {
    'says nothing of what a deferred trigger says, whose values may be those of any call': otherOptions,
  },
  'test/failures/not-recorded.test.ts': {
    'of a statement that uncapturable refuses': `${rowsInstead}, ${noText}`,
  },

  // what triggers write as several entries, see docs/triggers.md, "Exactness"
  'test/capture/referential-actions/on-update.test.ts': {
    'of rows that the statement changes as well is one entry a row, as it came out':
      'a trigger cannot know what a later referential action does to its row',
  },

  // what is theirs to know
  'test/capture/schema-changes.test.ts': {
    'inside a transaction the statement after such a migration fails, and nothing of it is written':
      'triggers need no knowledge that the client has, so the transaction goes on',
  },
  'test/capture/without-log.test.ts': {
    'without the table of the log, a write of a model that is not recorded works': otherOptions,
  },
  'test/log/refused-entries.test.ts': {
    'for want of the privilege INSERT means that nothing is written': ownPrivilege,
  },
  'test/prisma-7/client.test.ts': {
    "the adapter's option schema: models live there, the log where the connection finds it":
      'the set-up cannot know that a table of another schema belongs to a model, and names its resource after it',
  },
  'test/prisma-7/shared-adapter.test.ts': {
    'audited ones have their own options': otherOptions,
  },
  'test/proof/refusals.test.ts': {
    'a privilege that is revoked stops changes until it is granted again': ownPrivilege,
  },
}
