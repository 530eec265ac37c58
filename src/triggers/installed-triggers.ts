import { type Connection, plain } from '../postgres/connection.ts'
import type { TableName } from '../postgres/identifiers.ts'
import { overtakenSql, type RawWatch, type Watch, type WatchDefinition, watchOf } from '../postgres/watch.ts'

/** The triggers of one table, as the database has them. */
export interface InstalledTriggers extends Pick<Watch, 'isOutdated' | 'isOvertaken'> {
  readonly table: Required<TableName>
  readonly columns: readonly { readonly number: number; readonly name: string }[]
  /** How they record it; undefined where the trigger before each statement is not there. */
  readonly definition: (WatchDefinition & StoredOptions) | undefined
  /** Row-level security is on: policies, or none that lets a row through. */
  readonly hasRowSecurity: boolean
  /** There are triggers that record rows or TRUNCATE, all of them or not. */
  readonly hasRowTriggers: boolean
  /** Each trigger that records rows or TRUNCATE, and the one before each statement, is there, and calls our functions. */
  readonly isWhole: boolean
  /** `pg_trigger.tgenabled` of all of them, each once: `A` always, `O` origin, `R` replica, `D` disabled. */
  readonly states: readonly string[]
}

/** What the argument of the trigger before each statement has beside what the client compares. */
interface StoredOptions {
  readonly redactSecrets: boolean
  /** Number of a column → its name then. */
  readonly names: Readonly<Record<string, string>>
  /** Number of a column → field, where the names differ. */
  readonly fields: Readonly<Record<string, string>>
  readonly link?: Readonly<Record<'A' | 'B', StoredSide>>
}

interface StoredSide {
  readonly resource: string
  readonly relation: string
  readonly recorded?: boolean
}

// A partition has clones of its parent's row triggers. Which triggers a table has to have: prisma/functions/is_whole.sql
const installedSql = `
WITH ours AS (
  SELECT t.tgrelid, t.tgname, t.tgenabled, t.tgargs, n.nspname LIKE '%\\_internal' AS calls_ours
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE t.tgname LIKE '%!audit\\_logs\\_%' AND t.tgname <> '!audit_logs_reach' AND NOT t.tgisinternal
), relation AS (
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relrowsecurity AS security
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
), member AS (
  SELECT r.oid AS root, r.oid, r.kind FROM relation r
  UNION
  SELECT r.oid, c.oid, c.relkind FROM relation r
  CROSS JOIN LATERAL pg_catalog.pg_partition_tree(r.oid) AS tree JOIN pg_catalog.pg_class c ON c.oid = tree.relid
  WHERE r.kind = 'p'
)
SELECT coalesce(json_agg(json_build_object(
  'schema', r.schema, 'name', r.name, 'security', r.security,
  'columns', columns.list, 'shape', columns.shape,
  'noted', (SELECT pg_catalog.convert_from(
      pg_catalog.substring(o.tgargs, 1, pg_catalog.octet_length(o.tgargs) - 1), pg_catalog.getdatabaseencoding())
    FROM ours o WHERE o.tgrelid = r.oid AND o.tgname = '!audit_logs_statement'),
  'rows', (SELECT count(*) FROM ours o WHERE o.tgrelid = r.oid AND o.tgname LIKE '%!audit\\_logs\\_row%'
    AND o.tgname <> '!audit_logs_row_truncate' AND o.calls_ours),
  'overtaken', ${overtakenSql('r.oid')},
  'truncates', (SELECT count(*) FROM member m JOIN ours o ON o.tgrelid = m.oid
    WHERE m.root = r.oid AND o.tgname = '!audit_logs_row_truncate' AND o.calls_ours),
  'wantedTruncates', (SELECT count(*) FROM member m WHERE m.root = r.oid AND m.kind <> 'f'),
  'states', (SELECT coalesce(json_agg(DISTINCT o.tgenabled), '[]')
    FROM member m JOIN ours o ON o.tgrelid = m.oid WHERE m.root = r.oid)
) ORDER BY r.schema, r.name), '[]')::text
FROM relation r
CROSS JOIN LATERAL (
  SELECT coalesce(json_agg(json_build_object('number', a.attnum, 'name', a.attname) ORDER BY a.attnum), '[]') AS list,
    pg_catalog.md5(pg_catalog.string_agg(
      pg_catalog.concat_ws(' ', a.attnum, a.attname, t.typname, a.atttypmod), ', ' ORDER BY a.attnum)) AS shape
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
) AS columns`

interface RawInstalled extends Pick<RawWatch, 'shape' | 'noted' | 'overtaken'> {
  schema: string
  name: string
  columns: { number: number; name: string }[]
  security: boolean
  rows: number
  truncates: number
  wantedTruncates: number
  states: string[]
}

/** Reads which tables there are and what triggers they have, enabled or not, in one statement. */
export async function readInstalledTriggers(
  connection: Pick<Connection, 'queryRaw'>,
): Promise<InstalledTriggers[]> {
  const { rows } = await connection.queryRaw(plain(installedSql))
  return (JSON.parse(String(rows[0]?.[0])) as RawInstalled[]).map(
    ({ schema, name, security, columns, shape, noted, overtaken, states, ...counts }) => {
      const raw = { shape, noted, overtaken, triggers: counts.rows, key: '', reach: null, rowTrigger: null }
      const { definition, isOutdated, isOvertaken } = watchOf(raw)
      return {
        ...{ table: { schema, name }, columns, states, isOutdated, isOvertaken, hasRowSecurity: security },
        definition: definition as InstalledTriggers['definition'],
        hasRowTriggers: counts.rows + counts.truncates > 0,
        isWhole:
          definition !== undefined &&
          counts.rows === definition.triggers &&
          counts.truncates === counts.wantedTruncates,
      }
    },
  )
}
