import { readFileSync } from 'node:fs'
import type pg from 'pg'
import { expect } from 'vitest'
import type { Database, Entry } from './database.ts'
import { quote } from './quote.ts'

/**
 * A second opinion on what changed: plain AFTER ROW triggers that write every row change of every table down, and a
 * reading of those rows by the contract's rules that shares no code with the library.
 *
 * It sees what the statement did and what referential actions did, in the order in which PostgreSQL did it. It does not
 * tell a user's own trigger that writes to other tables from a referential action.
 */

/** Where to begin comparing. */
export interface OracleMark {
  readonly seq: bigint
  readonly change: bigint
}

/** What the client under test was told, as far as it decides what the log must hold. */
export interface OracleOptions {
  /** Models (`User`), or tables without one, that the audit leaves out. */
  readonly untracked?: readonly string[]
  /** The schema's models; those of the test schema unless given. */
  readonly models?: readonly ModelInfo[]
  /** Fields whose values the log must not show; those of the test schema unless given. */
  readonly secrets?: readonly string[]
  /**
   * Who did what, in order, when the calls came one after another: entries must then name their caller, and the entries
   * of a row must stand in the order of its changes.
   */
  readonly calls?: readonly OracleCall[]
  /** The writers were no audited clients, so the entries to look at are those with a source. */
  readonly unaudited?: boolean
}

/** One call of the client under test. */
export interface OracleCall {
  /** The oracle's last change before the call, committed or not. */
  readonly after: bigint
  /** What each of the call's entries says of it. */
  readonly caller: Caller
  /** The operations of a batch that has different ones: which of them an entry belongs to is not compared. */
  readonly batch?: readonly string[] | undefined
}

/** The attribution of an entry. */
export interface Caller {
  operation: string | null
  readonly actor: readonly [id: string, type: string, email: string | null]
  readonly request: string | null
  readonly ip: string | null
  readonly userAgent: string | null
  readonly organization: string | null
  readonly reason: string | null
  readonly metadata: unknown
}

const recordTable = `
  CREATE SCHEMA IF NOT EXISTS oracle;
  CREATE TABLE IF NOT EXISTS oracle.change (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    table_oid oid NOT NULL,
    op text NOT NULL,
    batch int,
    statement_at timestamptz NOT NULL,
    transaction_id bigint NOT NULL,
    old jsonb,
    new jsonb
  );
  CREATE INDEX IF NOT EXISTS change_statement ON oracle.change (statement_at);
`

/**
 * Puts a trigger on every table but the log. Tables made later need another call. Partitioned tables and tables that
 * inherit are left out.
 *
 * @param sql runs the statements; inside of a transaction, too
 * @param only the name of one table whose columns are others now
 */
export async function installOracle({ sql }: Pick<Database, 'sql'>, only?: string): Promise<void> {
  if (only === undefined) await sql(recordTable)
  const triggers: string[] = []
  for (const table of await readTables({ sql })) {
    if (only !== undefined && only !== table.name) continue
    // the exact text of each value, by the type's own output function (a cast to text would strip char padding)
    const texts = (row: 'OLD' | 'NEW') =>
      table.columns.map(({ name }) => {
        const value = `${row}.${quote(name)}`
        return `CASE WHEN num_nulls(${value}) = 1 THEN NULL ELSE format('%s', ${value}) END`
      })
    const names = table.columns.map(({ name }) => `'${name.replaceAll("'", "''")}'`)
    const image = (row: 'OLD' | 'NEW', absentFor: string) =>
      `CASE WHEN TG_OP <> '${absentFor}' THEN jsonb_object(ARRAY[${names}]::text[], ARRAY[${texts(row)}]::text[]) END`
    triggers.push(`
      CREATE OR REPLACE FUNCTION oracle.${quote(`record_${table.oid}`)}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres'
      SET extra_float_digits = 1 SET bytea_output = 'hex' AS $$
      DECLARE
        batch int;
      BEGIN
        IF NOT EXISTS (SELECT FROM oracle.change c WHERE c.statement_at = statement_timestamp()
          AND c.transaction_id = (pg_current_xact_id()::text)::bigint AND c.table_oid = ${table.oid} AND c.op = TG_OP) THEN
          batch := (SELECT count(*) FROM batch_rows);
        END IF;
        INSERT INTO oracle.change (table_oid, op, batch, statement_at, transaction_id, old, new)
        VALUES (${table.oid}, TG_OP, batch, statement_timestamp(), (pg_current_xact_id()::text)::bigint,
          ${image('OLD', 'INSERT')}, ${image('NEW', 'DELETE')});
        RETURN NULL;
      END $$;
    `)
    for (const op of ['INSERT', 'UPDATE', 'DELETE']) {
      // Row triggers run in the order of the changes: first those of the statement itself, then those of referential
      // actions. The transition table says how many the statement itself made: those of actions get one of their own.
      // The name comes before that of every referential action's trigger, so a cause is written down before its effects.
      triggers.push(`
        CREATE OR REPLACE TRIGGER "A_oracle_${op}" AFTER ${op} ON ${quote(table.schema)}.${quote(table.name)}
        REFERENCING ${op === 'DELETE' ? 'OLD' : 'NEW'} TABLE AS batch_rows
        FOR EACH ROW EXECUTE FUNCTION oracle.${quote(`record_${table.oid}`)}();
      `)
    }
  }
  await sql(triggers.join('\n'))
}

/** The present end of the log and of the oracle's own record. */
export async function markOracle(database: Database): Promise<OracleMark> {
  const [row] = await database.sql<{ id: string }>('SELECT coalesce(max(id), 0) AS id FROM oracle.change')
  return { seq: await database.lastSeq(), change: BigInt(row?.id ?? 0) }
}

/** The oracle's last change so far, those of open and undone transactions too. */
export async function lastChange(database: Database): Promise<bigint> {
  const [row] = await database.sql<{ id: string }>(
    'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id FROM oracle.change_id_seq',
  )
  return BigInt(row?.id ?? 0)
}

/**
 * Asserts that the log has exactly the entries that the row changes since `since` call for, one to one: resource, id,
 * verb, before, after, changed fields, cause, transaction; both sides of each link; and with `calls`, who did it and the
 * order within a row. Entries of events that are not
 * changes (`raw.execute`, failures) are left out of account.
 *
 * @returns the number of entries compared
 */
export async function expectEntriesToMatchOracle(
  database: Database,
  since: OracleMark = { seq: 0n, change: 0n },
  options: OracleOptions = {},
): Promise<number> {
  const expected = await expectedEntries(database, since.change, options)
  const entries = options.unaudited
    ? await database.sql<Entry & pg.QueryResultRow>('SELECT * FROM audit_logs WHERE seq > $1 ORDER BY seq', [
        since.seq,
      ])
    : await database.changes(since.seq)
  const actual = entries
    .filter(({ action, outcome }) => changeVerbs.includes(verbOf(action)) && outcome === 'success')
    .map((entry) => comparable(entry, options.calls !== undefined))
  for (const { caller } of actual) if (caller) forgetBatched(caller, options.calls ?? [])
  if (options.calls) numberByRow(actual, expected)
  expect(inOrder(actual)).toEqual(inOrder(expected))
  return actual.length
}

const changeVerbs = ['create', 'update', 'delete', 'connect', 'disconnect']

function verbOf(action: string): string {
  return action.slice(action.lastIndexOf('.') + 1)
}

/** The parts of an entry that the oracle knows; absent ones are left out. */
interface ComparableEntry {
  transaction: string
  action: string
  resource: string
  id: string | null
  before?: Row
  after?: Row
  changed?: string[]
  relation?: string
  target?: { type: string; id: string | null }
  cause?: string
  caller?: Caller
  /** The statement that the entry belongs to: the first that changed the row is 0, and so on. */
  statement?: number
}

type Row = Record<string, unknown>

function comparable(entry: Entry, withCaller: boolean): ComparableEntry {
  const { operation: _, metadata: __, source: ___, changed, ...rest } = entry.details
  return {
    transaction: entry.transaction_id,
    action: entry.action,
    resource: entry.resource_type,
    id: entry.resource_id,
    ...rest,
    ...(changed && { changed: [...changed].sort() }),
    ...(withCaller && { caller: callerOf(entry) }),
  }
}

function callerOf(entry: Entry): Caller {
  return {
    operation: entry.details.operation ?? null,
    actor: [entry.actor_id, entry.actor_type, entry.actor_email],
    request: entry.request_id,
    ip: entry.ip,
    userAgent: entry.user_agent,
    organization: entry.organization_id,
    reason: entry.reason,
    metadata: entry.details.metadata ?? null,
  }
}

/** The operation of an entry is left out where it is one of those of a batch. */
function forgetBatched(caller: Caller, calls: readonly OracleCall[]): void {
  const call = calls.find((one) => one.caller.actor[0] === caller.actor[0])
  if (caller.operation !== null && call?.batch?.includes(caller.operation)) caller.operation = null
}

/**
 * Numbers each row's entries by statement. An entry does not say which statement wrote it, so the log's are numbered by
 * their place: the n-th entry of a row must be of the statement of the n-th expected one.
 */
function numberByRow(actual: ComparableEntry[], expected: ComparableEntry[]): void {
  const rowOf = ({ resource, id }: ComparableEntry) => JSON.stringify([resource, id])
  const statements = new Map<string, (number | undefined)[]>()
  for (const entry of expected) {
    statements.set(rowOf(entry), [...(statements.get(rowOf(entry)) ?? []), entry.statement])
  }
  for (const entry of actual) {
    const statement = statements.get(rowOf(entry))?.shift()
    if (statement !== undefined) entry.statement = statement
  }
}

function inOrder(entries: ComparableEntry[]): ComparableEntry[] {
  const key = (entry: ComparableEntry) =>
    [
      entry.transaction.padStart(20, '0'),
      String(entry.statement ?? 0).padStart(6, '0'),
      ...[entry.resource, entry.id, entry.action, stable(entry)],
    ].join(' ')
  return entries
    .map((entry) => ({ entry, key: key(entry) }))
    .sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0))
    .map(({ entry }) => entry)
}

/** JSON with sorted keys. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  )
}

interface Change {
  readonly id: bigint
  readonly table: TableInfo
  readonly statement: string
  readonly transaction: string
  readonly op: string
  /** With the first change of its kind in a statement: how many rows were changed together with it. */
  readonly batch: number | null
  readonly old: TextRow | null
  readonly new: TextRow | null
}

/** A row as the oracle stored it: each value in the text form that PostgreSQL prints. */
type TextRow = Record<string, string | null>

async function expectedEntries(
  database: Database,
  since: bigint,
  options: OracleOptions,
): Promise<ComparableEntry[]> {
  const tables = new Map((await readTables(database, options.models)).map((table) => [table.oid, table]))
  const rows = await database.sql<{
    id: string
    table_oid: string
    op: string
    batch: number | null
    statement: string
    transaction_id: string
    old: TextRow | null
    new: TextRow | null
  }>(
    `SELECT id, table_oid::text, op, batch, transaction_id::text || ' ' || statement_at::text AS statement, transaction_id::text, old, new
     FROM oracle.change WHERE id > $1 ORDER BY id`,
    [since],
  )
  const statements = new Map<string, Change[]>()
  for (const row of rows) {
    const table = tables.get(row.table_oid)
    if (!table) continue // dropped since
    const change: Change = {
      id: BigInt(row.id),
      table,
      statement: row.statement,
      transaction: row.transaction_id,
      op: row.op,
      batch: row.batch,
      old: row.old,
      new: row.new,
    }
    statements.set(row.statement, [...(statements.get(row.statement) ?? []), change])
  }
  return [...statements.values()].flatMap((changes, statement) => {
    const entries = entriesOfStatement(changes, options)
    if (!options.calls) return entries
    const [{ id } = { id: 0n }] = changes
    const call = options.calls.findLast(({ after }) => after < id)
    return entries.map((entry) => ({ ...entry, statement, ...(call && { caller: call.caller }) }))
  })
}

function entriesOfStatement(changes: readonly Change[], options: OracleOptions): ComparableEntry[] {
  const direct = directChanges(changes)
  const [root] = direct
  if (!root) return []
  const cause = `${resourceOf(root.table)}.${root.op === 'DELETE' ? 'delete' : 'update'}`
  return mergeByRow(changes).flatMap(({ change, first }) =>
    entriesOfChange(change, direct.has(first) ? undefined : cause, options),
  )
}

/** What the statement itself changed. Changes of referential actions come after all of them. */
function directChanges(changes: readonly Change[]): Set<Change> {
  const direct = new Set<Change>()
  const [root] = changes
  const remaining = new Map<string, number>()
  for (const change of changes) {
    // an upsert inserts and updates
    const sameVerb = (change.op === 'DELETE') === (root?.op === 'DELETE')
    if (change.table !== root?.table || !sameVerb) break
    const left = remaining.get(change.op) ?? change.batch ?? 0
    if (left === 0) break
    remaining.set(change.op, left - 1)
    direct.add(change)
  }
  return direct
}

/** One statement may change a row twice, by two foreign keys: it then becomes what the last of them made of it. */
function mergeByRow(changes: readonly Change[]): { change: Change; first: Change }[] {
  const merged: { change: Change; first: Change }[] = []
  for (const change of changes) {
    const earlier = merged.find(
      ({ change: { table, new: now } }) =>
        table === change.table && now !== null && sameRow(table, now, change.old),
    )
    if (earlier) earlier.change = { ...earlier.change, new: change.new }
    else merged.push({ change, first: change })
  }
  return merged
}

function sameRow({ primaryKey, columns }: TableInfo, one: TextRow, other: TextRow | null): boolean {
  const identity = primaryKey.length > 0 ? primaryKey : columns
  return other !== null && identity.every(({ name }) => one[name] === other[name])
}

function entriesOfChange(
  { table, transaction, old, new: now }: Change,
  cause: string | undefined,
  { untracked = [], secrets = testSecrets }: OracleOptions,
): ComparableEntry[] {
  const resource = resourceOf(table)
  const fields = (row: TextRow) => fieldsOf(table, row, secrets)
  const common = cause === undefined ? {} : { cause }
  if (table.link) {
    const verbs = [
      ...(old ? [{ verb: 'disconnect', row: old }] : []),
      ...(now ? [{ verb: 'connect', row: now }] : []),
    ]
    const isSame = old && now && stable(old) === stable(now)
    return isSame
      ? []
      : verbs.flatMap(({ verb, row }) => linkEntries(table, verb, row, transaction, common, untracked))
  }
  if (untracked.includes(table.model?.name ?? table.name)) return []
  const entry = { transaction, resource, id: idOf(table, old ?? now ?? {}), ...common }
  if (old === null) return [{ ...entry, action: `${resource}.create`, after: fields(now ?? {}) }]
  if (now === null) return [{ ...entry, action: `${resource}.delete`, before: fields(old) }]
  const changed = table.columns
    .filter(({ name }) => old[name] !== now[name])
    .map((column) => fieldOf(table, column))
  if (changed.length === 0) return []
  const images = { before: fields(old), after: fields(now) }
  return [{ ...entry, action: `${resource}.update`, ...images, changed: changed.sort() }]
}

function linkEntries(
  { link }: TableInfo,
  verb: string,
  row: TextRow,
  transaction: string,
  common: { cause?: string },
  untracked: readonly string[],
): ComparableEntry[] {
  if (!link) return []
  const entry = (own: 'A' | 'B', other: 'A' | 'B'): ComparableEntry[] => {
    const resource = lowerFirst(link[own].model)
    const target = { type: lowerFirst(link[other].model), id: row[other] ?? null }
    if (untracked.includes(link[own].model)) return []
    const relation = link[own].field
    return [
      {
        transaction,
        action: `${resource}.${verb}`,
        resource,
        id: row[own] ?? null,
        relation,
        target,
        ...common,
      },
    ]
  }
  return [...entry('A', 'B'), ...entry('B', 'A')]
}

function resourceOf(table: TableInfo): string {
  return table.model ? lowerFirst(table.model.name) : table.name
}

function fieldOf(table: TableInfo, column: ColumnInfo): string {
  return table.model?.fields.get(column.name) ?? column.name
}

const testSecrets = ['passwordHash']

function fieldsOf(table: TableInfo, row: TextRow, secrets: readonly string[]): Row {
  const columns = table.columns.filter(({ name }) => name in row) // a migration may have come or gone since
  return Object.fromEntries(
    columns.map((column) => {
      const field = fieldOf(table, column)
      const text = row[column.name] ?? null
      const value = secrets.includes(field) && text !== null ? '[redacted]' : contractValue(column, text)
      return [field, value]
    }),
  )
}

function idOf({ primaryKey }: TableInfo, row: TextRow): string | null {
  const texts = primaryKey.map((column) => {
    const value = contractValue(column, row[column.name] ?? null)
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
  if (texts.length === 0) return null
  return texts.length === 1 ? (texts[0] as string) : JSON.stringify(texts)
}

/** A value as the contract ("Values in JSON") wants it, from the text that PostgreSQL prints. */
function contractValue(
  { type, isArray }: Pick<ColumnInfo, 'type' | 'isArray'>,
  text: string | null,
): unknown {
  if (text === null) return null
  if (isArray) return mapNested(parseArray(text), (item) => contractValue({ type, isArray: false }, item))
  switch (type) {
    case 'bool':
      return text === 't'
    case 'int2':
    case 'int4':
      return Number(text)
    case 'float4':
    case 'float8':
      return Number.isFinite(Number(text)) ? Number(text) + 0 : text // JSON has no -0 once it is jsonb
    case 'timestamp':
    case 'timestamptz':
      return contractTimestamp(text)
    case 'json':
    case 'jsonb':
      return JSON.parse(text)
    case 'bytea':
      return Buffer.from(text.slice(2), 'hex').toString('base64')
    default:
      return text
  }
}

function contractTimestamp(text: string): string {
  const parts = /^(\d+-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?$/.exec(text)
  if (!parts) return text.replace(' ', 'T') // infinity, or before Christ: as PostgreSQL's own JSON has it
  const [, date, time, fraction = ''] = parts
  return `${date}T${time}.${fraction.padEnd(fraction.length > 3 ? 6 : 3, '0')}Z`
}

type Nested = string | null | Nested[]

function mapNested(value: Nested, convert: (item: string | null) => unknown): unknown {
  return Array.isArray(value) ? value.map((item) => mapNested(item, convert)) : convert(value)
}

/** PostgreSQL's array literal, `{1,NULL,"a \"quoted\" one"}`, nested ones too. */
function parseArray(literal: string): Nested[] {
  const text = literal.slice(literal.indexOf('{')) // a lower bound other than 1 comes first
  let at = 0
  const read = (): Nested[] => {
    const items: Nested[] = []
    at++ // {
    while (text[at] !== '}') {
      if (text[at] === ',') at++
      items.push(text[at] === '{' ? read() : text[at] === '"' ? quoted() : bare())
    }
    at++ // }
    return items
  }
  const quoted = () => {
    let item = ''
    for (at++; text[at] !== '"'; at++) {
      if (text[at] === '\\') at++
      item += text[at]
    }
    at++
    return item
  }
  const bare = () => {
    const start = at
    while (text[at] !== ',' && text[at] !== '}') at++
    const item = text.slice(start, at)
    return item === 'NULL' ? null : item
  }
  return read()
}

interface ColumnInfo {
  readonly name: string
  /** The base type's name, behind domains and arrays. */
  readonly type: string
  readonly isArray: boolean
}

interface TableInfo {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly columns: readonly ColumnInfo[]
  readonly primaryKey: readonly ColumnInfo[]
  readonly model: ModelInfo | undefined
  readonly link: LinkInfo | undefined
}

async function readTables(
  database: Pick<Database, 'sql'>,
  known: readonly ModelInfo[] = models(),
): Promise<TableInfo[]> {
  const knownLinks = links(known)
  const columns = await database.sql<{
    oid: string
    schema: string
    table: string
    name: string
    type: string
    isArray: boolean
    keyPosition: number | null
  }>(`
    WITH RECURSIVE base(oid, base) AS (
      SELECT oid, oid FROM pg_type
      UNION ALL
      SELECT base.oid, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.base WHERE t.typtype = 'd'
    )
    SELECT c.oid::text, n.nspname::text AS schema, c.relname::text AS "table", a.attname::text AS name,
      coalesce(element.typname, t.typname)::text AS type, element.oid IS NOT NULL AS "isArray",
      array_position(k.conkey, a.attnum) AS "keyPosition"
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN base ON base.oid = a.atttypid
    JOIN pg_type t ON t.oid = base.base AND t.typtype <> 'd'
    LEFT JOIN base AS items ON items.oid = t.typelem AND t.typcategory = 'A'
    LEFT JOIN pg_type element ON element.oid = items.base
    LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
    WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema|oracle)' AND c.relname <> 'audit_logs'
      AND (element.oid IS NULL OR element.typtype <> 'd')
      AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid) -- no row trigger may see a batch there
    ORDER BY c.oid, a.attnum
  `)
  const tables = new Map<string, (typeof columns)[number][]>()
  for (const column of columns) tables.set(column.oid, [...(tables.get(column.oid) ?? []), column])
  return [...tables.values()].map((own) => {
    const { oid, schema, table: name } = own[0] as (typeof own)[number]
    const keys = own.filter(({ keyPosition }) => keyPosition !== null)
    return {
      oid,
      schema,
      name,
      columns: own,
      primaryKey: keys.sort((one, other) => (one.keyPosition ?? 0) - (other.keyPosition ?? 0)),
      model: known.find((model) => model.table === name),
      link: knownLinks.get(name),
    }
  })
}

export interface ModelInfo {
  readonly name: string
  readonly table: string
  /** Column → field. */
  readonly fields: ReadonlyMap<string, string>
  /** Fields that are lists of another model. */
  readonly lists: readonly { readonly field: string; readonly of: string; readonly relation?: string }[]
}

interface LinkInfo {
  readonly A: { readonly model: string; readonly field: string }
  readonly B: { readonly model: string; readonly field: string }
}

let knownModels: ModelInfo[] | undefined

/** The models of the test schema, read from its text. */
function models(): ModelInfo[] {
  knownModels ??= readModels(readFileSync('test/prisma/schema.prisma', 'utf8'))
  return knownModels
}

function readModels(schema: string): ModelInfo[] {
  const blocks = [...schema.matchAll(/^model (\w+) \{\n([\s\S]*?)^\}/gm)].map(([, name, body]) => ({
    name: name as string,
    body: body as string,
  }))
  const names = blocks.map(({ name }) => name)
  return blocks.map(({ name, body }) => {
    const fields = [...body.matchAll(/^ +(\w+) +(\w+)(\[\])?(.*)$/gm)].map(([, field, type, list, rest]) => ({
      field: field as string,
      type: type as string,
      isList: list !== undefined,
      column: /(?:^|\s)@map\("([^"]+)"\)/.exec(rest ?? '')?.[1] ?? (field as string),
      relation: /@relation\("([^"]+)"/.exec(rest ?? '')?.[1],
    }))
    return {
      name,
      table: /@@map\("([^"]+)"\)/.exec(body)?.[1] ?? name,
      fields: new Map(
        fields.filter(({ type }) => !names.includes(type)).map(({ column, field }) => [column, field]),
      ),
      lists: fields
        .filter(({ type, isList }) => isList && names.includes(type))
        .map(({ field, type, relation }) => ({
          field,
          of: type,
          ...(relation !== undefined && { relation }),
        })),
    }
  })
}

/** Implicit many-to-many tables: two lists that face each other. */
function links(known: readonly ModelInfo[]): Map<string, LinkInfo> {
  const found = new Map<string, LinkInfo>()
  for (const model of known) {
    for (const list of model.lists) {
      const opposite = known
        .find(({ name }) => name === list.of)
        ?.lists.find(
          (other) =>
            other.of === model.name &&
            other.relation === list.relation &&
            (model.name !== list.of || other.field !== list.field),
        )
      if (!opposite) continue
      const sides = [
        { model: model.name, field: list.field },
        { model: list.of, field: opposite.field },
      ].sort((one, other) => (one.model + one.field < other.model + other.field ? -1 : 1))
      const [A, B] = sides as [LinkInfo['A'], LinkInfo['B']]
      found.set(`_${list.relation ?? `${A.model}To${B.model}`}`, { A, B })
    }
  }
  return found
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
