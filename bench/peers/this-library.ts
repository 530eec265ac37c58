import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { withAudit } from 'prisma-extension-audit'
import { fillLog } from '../../scripts/fill-log.ts'
import { watchEveryTable } from '../watch.ts'
import {
  type Contender,
  type Log,
  ordinaryClient,
  preparingClient,
  type RecordedChange,
  type Row,
  type Verb,
} from './contender.ts'
import { byColumn, modelNamed, schemaFolder, tableOf } from './models.ts'
import { unaudited, unauditedPreparing } from './unaudited.ts'

interface Entry {
  id: string
  action: string
  resource_type: string
  resource_id: string
  details: { before?: Row; after?: Row; target?: { id: string } }
}

const migrations = ['1', '2'].map((number) =>
  fileURLToPath(import.meta.resolve(`prisma-extension-audit/migrations/${number}.sql`)),
)

/** The first `count` migrations of the log: one makes the table with its indexes, two the triggers' functions, too. */
export async function migrate(pool: pg.Pool, count = migrations.length): Promise<void> {
  for (const path of migrations.slice(0, count)) await pool.query(await readFile(path, 'utf8'))
}

export const thisLibraryLog: Log = {
  schemas: ['schema.prisma'],
  install: ({ pool }) => migrate(pool),
  tables: ['audit_logs'],
  fill: fillLog,
  read,
  recordsBefore: true,
  mergesInTransaction: false,
}

async function read(pool: pg.Pool): Promise<RecordedChange[]> {
  const { rows } = await pool.query<Entry>(
    `SELECT id, action, resource_type, resource_id, details FROM audit_logs
     WHERE outcome = 'success' AND resource_type NOT IN ('raw', 'auditLog') ORDER BY seq`,
  )
  return rows.flatMap((entry) => {
    const verb = entry.action.slice(entry.resource_type.length + 1)
    if (verb === 'connect' || verb === 'disconnect') return linkChange(entry, verb)
    const model = modelNamed(entry.resource_type)
    const { before, after } = entry.details
    return {
      key: entry.id,
      table: tableOf(model),
      id: entry.resource_id,
      verb: verb as Verb,
      before: byColumn(model, before),
      after: byColumn(model, after),
    }
  })
}

/** A link has an entry on each side; the one of the post stands for the row of the table between. */
function linkChange({ id, resource_type, resource_id, details }: Entry, verb: string): RecordedChange[] {
  if (resource_type !== 'post') return []
  const row = { A: resource_id, B: details.target?.id ?? '' }
  const change: Pick<RecordedChange, 'verb' | 'before' | 'after'> =
    verb === 'connect'
      ? { verb: 'create', before: undefined, after: row }
      : { verb: 'delete', before: row, after: undefined }
  return [{ key: id, table: '_PostToTag', id: JSON.stringify([row.A, row.B]), ...change }]
}

const common = { log: thisLibraryLog, isPeer: false }

export const thisLibrary: Contender = {
  ...common,
  name: 'prisma-extension-audit',
  comparedTo: unaudited.name,
  connect: (pool) => withAudit(ordinaryClient(pool)),
}

export const thisLibraryPreparing: Contender = {
  ...common,
  name: 'prisma-extension-audit, named statements',
  comparedTo: unauditedPreparing.name,
  connect: (pool) => withAudit(preparingClient(pool)),
}

const watched = {
  ...common,
  log: {
    ...thisLibraryLog,
    install: async ({ pool }: { pool: pg.Pool }) => {
      await migrate(pool)
      await watchEveryTable(pool, await readFile(`${schemaFolder}schema.prisma`, 'utf8'))
    },
  },
}

export const withTriggers: Contender = {
  ...thisLibrary,
  ...watched,
  name: 'prisma-extension-audit with triggers',
}

export const withTriggersPreparing: Contender = {
  ...thisLibraryPreparing,
  ...watched,
  name: 'prisma-extension-audit with triggers, named statements',
}
