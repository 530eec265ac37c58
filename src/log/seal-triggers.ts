import { AuditError } from '../errors.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { type InternalTable, internalSchema, internalTable } from './internal-schema.ts'

/** A trigger that keeps what is in a table from being changed, as it is to be. */
export interface Refusal {
  /** `pg_trigger.tgtype`, when it fires and for what. */
  readonly timing: number
  /** The name of its function. */
  readonly calls: string
}

/** The same as it was found. `enabled` is `pg_trigger.tgenabled`. */
export interface FoundRefusal extends Refusal {
  readonly enabled: string
}

/** A trigger that keeps seals from being changed. */
export interface SealTrigger {
  readonly name: string
  readonly table: InternalTable
  readonly wanted: Refusal
  /** Undefined where it is not there. */
  readonly found: FoundRefusal | undefined
}

/** The tables of the seals, in which rows are only added. */
const sealTables: readonly InternalTable[] = [
  'sealed_leaves',
  'seal_salts',
  'seal_nodes',
  'checkpoints',
  'verifications',
]

// pg_trigger.tgtype: 1 for each row, 2 for BEFORE, and 8, 16 or 32 for DELETE, UPDATE or TRUNCATE.
const everyChange = { refuse_change: { timing: 2 + 8 + 16 + 32, calls: 'refuse_seal_change' } }

/** Erasing an entry erases its salt. */
const changeOfSalts = {
  refuse_change: { timing: 2 + 8 + 32, calls: 'refuse_seal_change' },
  refuse_update: { timing: 2 + 16, calls: 'refuse_salt_change' },
  refuse_other_change: { timing: 1 + 2 + 16, calls: 'refuse_salt_change' },
}

/** The triggers that keep the seals of a log from being changed; none where it has no tables for seals. */
export async function readSealTriggers(connection: SqlClient, table: TableName): Promise<SealTrigger[]> {
  const [row] = await connection.query<{ found: string }>(
    `SELECT pg_catalog.json_build_object(
  'hasSeals', (SELECT pg_catalog.count(*) > 0 FROM pg_catalog.pg_class c
    WHERE c.relnamespace = n.oid AND c.relname IN (SELECT pg_catalog.json_array_elements_text($2::text::json))),
  'hasErasure', EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid AND p.proname = 'refuse_salt_change'),
  -- one with a WHEN clause or a column list refuses only some writes, so it does not count
  'triggers', (SELECT coalesce(pg_catalog.json_object_agg(pg_catalog.concat(c.relname, ' ', t.tgname), pg_catalog.json_build_object(
      'enabled', t.tgenabled, 'timing', t.tgtype, 'calls', p.proname)), '{}')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    WHERE c.relnamespace = n.oid AND NOT t.tgisinternal AND t.tgqual IS NULL AND t.tgattr = '')
)::text AS found FROM pg_catalog.pg_namespace n WHERE n.nspname = $1::text`,
    ...[internalSchema(table), JSON.stringify(sealTables)],
  )
  const { hasSeals, hasErasure, triggers } = JSON.parse(row?.found ?? '{}') as Partial<Installed>
  if (!hasSeals) return []
  return sealTables.flatMap((inside) => {
    const refusals: Record<string, Refusal> =
      inside === 'seal_salts' && hasErasure ? changeOfSalts : everyChange
    return Object.entries(refusals).map(([name, wanted]) => ({
      ...{ name, table: inside, wanted },
      found: triggers?.[`${inside} ${name}`],
    }))
  })
}

/** What of it is installed. */
interface Installed {
  hasSeals: boolean
  hasErasure: boolean
  triggers: Record<string, FoundRefusal>
}

/**
 * Makes sure that the seals of a log can't be changed.
 *
 * @throws AuditError `AUDIT_LOG_UNPROTECTED`
 */
export async function checkSealTriggers(connection: SqlClient, table: TableName): Promise<void> {
  const open = (await readSealTriggers(connection, table)).find(({ wanted, found }) => {
    return found?.enabled !== 'A' || found.timing !== wanted.timing || found.calls !== wanted.calls
  })
  if (!open) return
  throw new AuditError(
    'AUDIT_LOG_UNPROTECTED',
    `The trigger ${open.name} that refuses UPDATE, DELETE or TRUNCATE on ${internalTable(table, open.table)}, where seals of the audit log ${quoteTable(table)} are, is missing or disabled, so seals can be changed. Entries are still written. "npx prisma-extension-audit status" says what is wrong with it; ALTER TABLE … ENABLE ALWAYS TRIGGER or the log's migrations bring it back.`,
  )
}
