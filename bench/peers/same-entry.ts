import type pg from 'pg'
import { quoteIdentifier, quoteLiteral } from '../../src/postgres/identifiers.ts'
import { requestContext } from '../context.ts'
import { type Contender, ordinaryClient } from './contender.ts'
import { metadata, tableOf } from './models.ts'
import { migrate, thisLibraryLog } from './this-library.ts'
import { unaudited } from './unaudited.ts'

/**
 * Row triggers as somebody would write them by hand to get this library's entries: into the same table with the same
 * indexes, with the columns of each table spelled out. Who acts comes from a setting of the session. Here a connection has
 * it from the start, which costs nothing: an application of many users has to set it in a transaction with each operation.
 * Nobody tells the triggers the operation, nor what caused a cascade.
 */
const setting = 'app.audit_context'

const context = {
  actor_id: requestContext.actor.id,
  actor_type: requestContext.actor.type,
  actor_email: requestContext.actor.email,
  request_id: requestContext.requestId,
  ip: requestContext.ip,
  user_agent: requestContext.userAgent,
  organization_id: requestContext.organizationId,
}

async function install({ pool }: { pool: pg.Pool }): Promise<void> {
  await migrate(pool, 1)
  for (const model of metadata.models) {
    const { rows } = await pool.query<Column>(columnsOf, [quoteIdentifier(tableOf(model))])
    const fields = byField(model.fields)
    const columns = rows.map((column) => ({ ...column, field: fields.get(column.name) ?? column.name }))
    await pool.query(triggerSql(tableOf(model), rowBody(model.delegate, columns)))
  }
  await pool.query(triggerSql('_PostToTag', linkBody))
}

function byField(fields: (typeof metadata.models)[number]['fields']): Map<string, string> {
  return new Map(fields.map(({ name, columnName = name }) => [columnName, name]))
}

interface Column {
  readonly name: string
  readonly type: string
  readonly isKey: boolean
}

const columnsOf = `
  SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type, EXISTS (SELECT FROM pg_constraint
    WHERE contype = 'p' AND conrelid = a.attrelid AND a.attnum = ANY (conkey)) AS "isKey"
  FROM pg_attribute AS a WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

function triggerSql(table: string, body: string): string {
  const name = quoteIdentifier(`record_${table}`)
  return `
    CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE
      context jsonb := current_setting(${quoteLiteral(setting)}, true);
      before jsonb;
      after jsonb;
      changed text[];
    BEGIN
      ${body}
      RETURN NULL;
    END $$;
    CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON ${quoteIdentifier(table)}
    FOR EACH ROW EXECUTE FUNCTION ${name}();`
}

function rowBody(resource: string, columns: readonly (Column & { readonly field: string })[]): string {
  const image = (row: 'OLD' | 'NEW') =>
    `jsonb_build_object(${columns.map((column) => `${quoteLiteral(column.field)}, ${storedAs(column, row)}`)})`
  const changes = columns.map(({ name, field }) => {
    const column = quoteIdentifier(name)
    return `CASE WHEN OLD.${column} IS DISTINCT FROM NEW.${column} THEN ${quoteLiteral(field)} END`
  })
  const keys = columns.filter(({ isKey }) => isKey).map(({ name }) => quoteIdentifier(name))
  const id = (row: 'OLD' | 'NEW') => {
    const texts = keys.map((key) => `${row}.${key}::text`)
    return texts.length === 1 ? texts[0] : `replace(jsonb_build_array(${texts})::text, '", "', '","')`
  }
  const insert = (row: 'OLD' | 'NEW', verb: string, details: string) =>
    insertSql(quoteLiteral(resource), verb, `${id(row)}`, details)
  return `
    IF TG_OP = 'INSERT' THEN
      ${insert('NEW', 'create', `jsonb_build_object('after', ${image('NEW')})`)};
    ELSIF TG_OP = 'DELETE' THEN
      ${insert('OLD', 'delete', `jsonb_build_object('before', ${image('OLD')})`)};
    ELSE
      changed := array_remove(ARRAY[${changes}], NULL);
      IF changed <> '{}' THEN
        ${insert('OLD', 'update', `jsonb_build_object('before', ${image('OLD')}, 'after', ${image('NEW')}, 'changed', changed)`)};
      END IF;
    END IF;`
}

/** A value as the library's entries have it. */
function storedAs({ name, type }: Column, row: 'OLD' | 'NEW'): string {
  const value = `${row}.${quoteIdentifier(name)}`
  if (type === 'bigint' || type === 'numeric') return `${value}::text`
  if (type === 'timestamp without time zone') return `to_char(${value}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
  return type === 'bytea' ? `encode(${value}, 'base64')` : value
}

function insertSql(resource: string, verb: string, id: string, details: string): string {
  return `INSERT INTO audit_logs (id, action, actor_id, actor_type, actor_email, resource_type, resource_id, details,
      request_id, ip, user_agent, organization_id)
    VALUES (uuidv7(), ${resource} || '.${verb}', coalesce(context ->> 'actor_id', session_user),
      coalesce(context ->> 'actor_type', 'system'), context ->> 'actor_email',
      ${resource}, ${id}, ${details}, context ->> 'request_id', (context ->> 'ip')::inet, context ->> 'user_agent',
      context ->> 'organization_id')`
}

/** A link has an entry on each side. */
const linkBody = (['OLD', 'NEW'] as const)
  .map((row) => {
    const side = (own: string, id: string, relation: string, other: string, otherId: string) =>
      insertSql(
        `'${own}'`,
        row === 'OLD' ? 'disconnect' : 'connect',
        `${row}."${id}"`,
        `jsonb_build_object('relation', '${relation}', 'target', jsonb_build_object('type', '${other}', 'id', ${row}."${otherId}"))`,
      )
    return `
      IF TG_OP <> '${row === 'OLD' ? 'INSERT' : 'DELETE'}' THEN
        ${side('post', 'A', 'tags', 'tag', 'B')};
        ${side('tag', 'B', 'posts', 'post', 'A')};
      END IF;`
  })
  .join('\n')

export const sameEntryTriggers: Contender = {
  name: 'row triggers with the same entry',
  log: { ...thisLibraryLog, install },
  comparedTo: unaudited.name,
  isPeer: true,
  connect: (pool) => {
    const value = JSON.stringify(context).replaceAll(/[\\ ]/g, '\\$&')
    return ordinaryClient({ ...pool, options: `${pool.options ?? ''} -c ${setting}=${value}` })
  },
}
