// Composes the log's second migration from the SQL in prisma/functions, which is kept readable there. Some tools cut a
// migration at every semicolon, so bodies become escaped strings. The examples have copies of this one and of the third.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

/** In the order in which they need each other. */
const functions = [
  'read_records_index',
  ...[
    'version',
    'context',
    'next_context',
    'set_context',
    'attribution',
    'cause',
    'statement_begins',
    'uuidv7',
  ],
  ...['base_type', 'is_json_as_is', 'json_sql', 'key_sql', 'mask_sql', 'differs_sql', 'is_secret'],
  ...[
    'columns',
    'normalized_options',
    'key_columns',
    'row_sql',
    'drift_sql',
    'drifted_sql',
    'entry_sql',
    'snapshot_sql',
    'settings_sql',
  ],
  ...['table_key', 'reached', 'acting_keys', 'self_key', 'merged', 'merge'],
  ...[
    'link_key_sql',
    'link_function_sql',
    'has_other_triggers',
    'events_by_statement',
    'changes_sql',
    'statement_sql',
    'no_rows_sql',
    'single_sql',
    'many_sql',
    'merging_sql',
    'row_function_sql',
    'truncate_function_sql',
    'trigger_function_sql',
    'truncate_triggers',
  ],
  ...['trigger_argument', 'watched', 'has_row_triggers', 'fingerprint'],
  ...['set_statement_trigger', 'renew_statement_trigger', 'ancestors'],
  ...['function_name', 'row_triggers', 'definition_sql', 'drop_row_triggers', 'is_whole', 'record_own'],
  ...['watch_internal', 'unwatch_internal', 'watch', 'unwatch', 'qualify_record', 'write'],
]

export const migration = 'prisma/migrations/20260201000000_audit_log_triggers/migration.sql'

/** The migration's text. */
export function composeMigration() {
  const sources = functions.map((name) => readFileSync(`prisma/functions/${name}.sql`, 'utf8').trim())
  const bodies = sources.map((source) =>
    source.replace(/AS \$\$([\s\S]*?)\$\$/g, (_, body) => `AS E'${asStringBody(body)}'`),
  )
  return [
    '-- Row triggers that record every change of a table, the context that says who made it, and the index of who read a record.',
    '-- Idempotent: running it again changes nothing. Made by scripts/migrations.mjs from prisma/functions.',
    '',
    'CREATE SCHEMA IF NOT EXISTS "audit_logs_internal";',
    '',
    bodies.join('\n\n'),
    '',
    '-- Nobody else may attach a trigger function to a table of his own, or call what is internal.',
    'REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "audit_logs_internal" FROM PUBLIC;',
    '',
    ...[
      ['qualify_record', 'audit_logs_record'],
      ['make_write', 'audit_logs_write'],
    ].map(
      ([change, name]) => `SELECT "audit_logs_internal"."${change}"(
  (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs")), '${name}');`,
    ),
    '',
  ].join('\n')
}

function asStringBody(body) {
  return body.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll(';', '\\073')
}

const examples = ['demo', 'express', 'hono', 'nestjs']
const readers = '20260401000000_audit_log_readers'

if (process.argv[1]?.endsWith('migrations.mjs')) {
  writeFileSync(migration, composeMigration())
  for (const example of examples) {
    const folder = `examples/${example}/prisma/migrations`
    writeFileSync(`${folder}/20260201000000_audit_log_functions/migration.sql`, composeMigration())
    mkdirSync(`${folder}/${readers}`, { recursive: true })
    copyFileSync(`prisma/migrations/${readers}/migration.sql`, `${folder}/${readers}/migration.sql`)
  }
}
