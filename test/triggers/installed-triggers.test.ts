import { expect, it } from 'vitest'
import { readInstalledTriggers } from '../../src/triggers/installed-triggers.ts'
import { createDatabase } from '../support/database.ts'

const database = await createDatabase()
await database.sql(`
  CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
  CREATE TABLE item (id int PRIMARY KEY);
  CREATE TABLE many (id int) PARTITION BY RANGE (id);
  CREATE TABLE few PARTITION OF many FOR VALUES FROM (0) TO (10)`)

const connection = {
  queryRaw: async ({ sql }: { sql: string }) => {
    const rows = await database.sql(sql)
    return { columnNames: [], columnTypes: [], rows: rows.map((row) => Object.values(row)) }
  },
}

/** What the database itself says, by the functions that audit_logs_watch asks. */
async function byFunctions(table: string) {
  const [row] = await database.sql<{ whole: boolean; other: boolean }>(
    `SELECT audit_logs_internal.is_whole($1::regclass, 'A', $2) AS whole,
       audit_logs_internal.has_other_triggers($1::regclass, 'AFTER ROW') AS other`,
    [table, (await installed(table))?.definition?.triggers],
  )
  return row
}

async function installed(table: string) {
  const all = await readInstalledTriggers(connection)
  return all.find((one) => one.table.name === table)
}

// a role of the application may not execute the functions, so the command line and verify() ask pg_trigger themselves
it.each([
  ['item', 'SELECT 1'],
  ['item', 'DROP TRIGGER "!audit_logs_row_update" ON item'],
  ['item', 'ALTER TABLE item DISABLE TRIGGER "!audit_logs_row_insert"'],
  ['item', 'ALTER TABLE item ENABLE TRIGGER "!audit_logs_row_truncate"'],
  ['item', 'DROP TRIGGER "!audit_logs_row_truncate" ON item'],
  ['item', 'CREATE TRIGGER other AFTER DELETE ON item FOR EACH ROW EXECUTE FUNCTION nothing()'],
  [
    'item',
    'CREATE TRIGGER other AFTER DELETE ON item FOR EACH ROW EXECUTE FUNCTION nothing(); ALTER TABLE item DISABLE TRIGGER other',
  ],
  ['item', 'CREATE TRIGGER other BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION nothing()'],
  ['item', 'CREATE TRIGGER other AFTER UPDATE ON item FOR EACH STATEMENT EXECUTE FUNCTION nothing()'],
  ['many', 'SELECT 1'],
  ['many', 'DROP TRIGGER "!audit_logs_row_truncate" ON few'],
  ['many', 'ALTER TABLE few DISABLE TRIGGER ALL'],
])('what is read of the triggers of %s is what the functions of watch say, after %s', async (table, sql) => {
  await database.sql(`DROP TRIGGER IF EXISTS other ON ${table}; SELECT audit_logs_unwatch('${table}')`)
  await database.sql(`SELECT audit_logs_watch('${table}', 'item')`)
  await database.sql(sql)
  const read = await installed(table)
  const said = await byFunctions(table)
  expect({ whole: read?.isWhole && read.states.join() === 'A', other: read?.isOvertaken }).toEqual({
    whole: said?.whole,
    other: said?.other && table === 'item', // whose triggers fire once a statement
  })
})
