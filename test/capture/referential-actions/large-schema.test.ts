import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { applyMigrations, createScript } from '../../../scripts/schema-engine.ts'
import { withAudit, withAuditContext } from '../../../src/index.ts'
import { emptyingSql, firstRows } from '../../oracle/first-rows.ts'
import { loadSchema, type OracleSchema } from '../../oracle/schemas.ts'
import { createDatabase, type Database, type Entry } from '../../support/database.ts'
import { expectEntriesToMatchOracle, installOracle, markOracle } from '../../support/oracle.ts'
import { quote } from '../../support/quote.ts'
import { briefSorted, recorded } from '../../support/recorded.ts'
import { watchTables } from '../../support/watch.ts'

// what scripts/large-schema.mjs makes: most tables are reached from Workspace or from User
const schema = await loadSchema('large')
const secrets = ['secret', 'token', 'accessToken']

describe.each(['all', 'none'] as const)('in a schema of 62 tables, with triggers on %s', async (watched) => {
  const db = await createTables(schema)
  await watchTables(db, schema.text, watched)
  await installOracle(db)
  const adapter = new PrismaPg({ connectionString: db.url })
  const prisma = withAudit(new schema.Client({ adapter }))
  const { workspace, user } = prisma as unknown as Record<'workspace' | 'user', Delegate>
  afterAll(() => prisma.$disconnect())

  const restart = `BEGIN; SET LOCAL session_replication_role = replica;
    ${await emptyingSql(db.sql)}\n${firstRows(schema.dataModel)}\n${secondRows(schema)}\nCOMMIT;`
  beforeEach(() => db.sql(restart))

  /** Deletes a record, and asserts that the log has an entry for each row that is gone or changed, and no other. */
  async function deletionOf(model: 'workspace' | 'user', id: string) {
    const before = await contents(db)
    const since = await markOracle(db)
    const delegate = { workspace, user }[model]
    await withAuditContext({ actor: { id: 'ada', type: 'user' } }, () => delegate.delete({ where: { id } }))
    const entries = await db.changes(since.seq)
    const { merged, several } = mergeByRow(entries)
    const expected = differences(`${model}.delete ${id}`, before, await contents(db))
    expect(briefSorted(merged.map(recorded))).toEqual(expected)
    const log = { ...db, changes: async () => merged }
    await expectEntriesToMatchOracle(log, since, { models: schema.models, secrets })
    for (const { actor_id, details } of entries) {
      expect([actor_id, details.operation]).toEqual(['ada', 'delete'])
    }
    return {
      resources: new Set(merged.map(({ resource_type }) => resource_type)),
      entries: merged.length,
      several,
    }
  }

  it('a workspace without anything is one entry', async () => {
    const { id } = await workspace.create({ data: { name: 'empty' } })
    expect(await deletionOf('workspace', id)).toEqual({
      resources: new Set(['workspace']),
      entries: 1,
      several: [],
    })
  })

  it('a workspace takes two rows of most tables with it, at all levels', async () => {
    const { resources, entries, several } = await deletionOf('workspace', 'id-1')
    expect(resources.size).toBe(60)
    expect(entries).toBe(127)
    expect([...resources]).toEqual(
      expect.arrayContaining(['task', 'checklist', 'deliveryAttempt', 'formAnswer']),
    )
    expect(several).toEqual(severalEntries[watched].workspace)
  })

  it('a user is lost by what he made, and takes his memberships with him', async () => {
    const { resources, entries, several } = await deletionOf('user', 'id-1')
    expect(resources.size).toBe(52)
    expect(entries).toBe(52)
    expect(several).toEqual(severalEntries[watched].user)
  })
})

/**
 * The rows that have more than one entry. A trigger writes the entry when the actions of one level are done, and these rows
 * are reached once more from a deeper one. A statement knows both.
 */
const severalEntries: Record<'all' | 'none', Record<'workspace' | 'user', string[]>> = {
  all: {
    workspace: ['supportTicket id-1', 'supportTicket id-3', 'timeEntry 1', 'timeEntry 3', 'user id-1'],
    user: ['projectMember ["id-1","id-1"]', 'teamMember ["id-1","id-1"]'],
  },
  none: { workspace: [], user: [] },
}

/** Entries of one row put together: as it was before the first of them, and after the last. */
function mergeByRow(entries: Entry[]): { merged: Entry[]; several: string[] } {
  const merged = new Map<string, Entry>()
  const several = new Set<string>()
  for (const entry of entries) {
    const { action, resource_type, resource_id, details } = entry
    const verb = action.slice(resource_type.length + 1)
    const row = `${resource_type} ${resource_id}`
    const isLink = verb === 'connect' || verb === 'disconnect'
    const key = isLink ? `${action} ${resource_id} ${details.target.id}` : row
    const first = merged.get(key)
    if (first) several.add(row)
    const { after, changed, ...rest } = details
    const fields =
      schema.dataModel.models.find(({ name }) => lowerFirst(name) === resource_type)?.fields ?? []
    const changes = [...(first?.details.changed ?? []), ...(changed ?? [])]
    const together = {
      ...rest,
      before: first?.details.before,
      ...(after && {
        after,
        changed: fields.map(({ name }) => name).filter((name) => changes.includes(name)),
      }),
    }
    merged.set(key, first ? { ...entry, details: together } : entry)
  }
  return { merged: [...merged.values()], several: [...several].sort() }
}

/** The methods of a model with a text for its key. */
interface Delegate {
  create(args: { data: { name: string } }): Promise<{ id: string }>
  delete(args: { where: { id: string } }): Promise<unknown>
}

async function createTables({ text }: OracleSchema): Promise<Database> {
  const db = await createDatabase({ template: 'template1' })
  await applyMigrations(db.url, 'prisma/migrations')
  await db.sql(await createScript(db.url, text))
  return db
}

/** Each first workspace row of a table gets a sibling: the third row, with all that is below it. */
function secondRows({ dataModel }: OracleSchema): string {
  const children = dataModel.models.filter(({ fields }) => fields.some(({ name }) => name === 'workspaceId'))
  return children
    .map(({ name }) => `UPDATE ${quote(name)} SET "workspaceId" = 'id-1' WHERE "workspaceId" = 'id-3';`)
    .join('\n')
}

interface StoredRow {
  readonly table: string
  readonly values: Readonly<Record<string, unknown>>
}

/** Every row, by its table and key. */
async function contents(db: Database): Promise<Map<string, StoredRow>> {
  const rows = new Map<string, StoredRow>()
  for (const table of [...schema.dataModel.models.map(({ name }) => name), '_DocumentToTag']) {
    const found = await db.sql<{ values: StoredRow['values'] }>(
      `SELECT to_jsonb(t) AS values FROM ${quote(table)} AS t`,
    )
    for (const { values } of found) rows.set(`${table} ${idOf({ table, values })}`, { table, values })
  }
  return rows
}

function idOf({ table, values }: StoredRow): string {
  const key = schema.dataModel.models.find(({ name }) => name === table)?.primaryKey?.fields
  if (key) return JSON.stringify(key.map((name) => String(values[name])))
  return String(values.id ?? `${values.A} ${values.B}`)
}

/** What the deletion of a record makes of the log, by the rows before and after it, in a line each. */
function differences(root: string, before: Map<string, StoredRow>, after: Map<string, StoredRow>): string[] {
  const lines: string[] = []
  for (const [key, row] of before) {
    const [id, now] = [idOf(row), after.get(key)?.values]
    const resource = lowerFirst(row.table)
    const { A, B } = row.values
    if (now) {
      const changed = schema.dataModel.models
        .find(({ name }) => name === row.table)
        ?.fields.map(({ name }) => name)
        .filter((name) => JSON.stringify(row.values[name]) !== JSON.stringify(now[name]))
      if (changed && changed.length > 0) lines.push(`${resource}.update ${id} [${changed.join(', ')}]`)
    } else if (row.table === '_DocumentToTag') {
      lines.push(`document.disconnect ${A} tags → tag ${B}`, `tag.disconnect ${B} documents → document ${A}`)
    } else lines.push(`${resource}.delete ${id}`)
  }
  const cause = root.split(' ')[0]
  return lines.map((line) => (line === root ? line : `${line} because ${cause}`)).sort()
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
