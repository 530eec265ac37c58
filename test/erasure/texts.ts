import type { Database } from '../support/database.ts'

/** All that is in the tables of a database, as text: what a dump of it has. */
export async function textOfAllTables({ sql }: Database): Promise<string> {
  const tables = await sql<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c WHERE relkind = 'r' AND relnamespace <> 'pg_catalog'::regnamespace
     AND relnamespace <> 'information_schema'::regnamespace AND relnamespace::regnamespace::text NOT LIKE 'pg_toast%'`,
  )
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await sql<{ text: string }>(`SELECT t::text AS text FROM ${name} AS t`)
      return rows.map(({ text }) => text).join('\n')
    }),
  )
  return texts.join('\n')
}
