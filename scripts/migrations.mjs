// Composes the log's second, fifth and sixth migration from the SQL in prisma/functions, which is kept readable there. Some tools
// cut a migration at every semicolon, so bodies become escaped strings. The examples have copies of these and of the others
// that came later.
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

/** The same for the fifth. */
const partitionFunctions = [
  ...['written_ids', 'log_name', 'partitions', 'partitions_end', 'missing_months'],
  ...['grants', 'revoke_all', 'copy_grants', 'give_to_owner', 'protect_partition'],
  ...['create_partition', 'create_partitions'],
  ...['make_newest', 'refuse_unfit', 'lock_for_partitioning', 'bound_log', 'partition_log'],
  ...['archives', 'stays', 'create_beside', 'replace_partition', 'retire_partition', 'restore_partition'],
].map((name) => `partitions/${name}`)

/** The same for the sixth. */
const erasureFunctions = [
  ...['erasing', 'entry_form', 'root_name', 'is_erasing'],
  ...['erased_record', 'erased_details', 'erased_salts', 'refuse_salt_change', 'immutable'],
  ...['erasures', 'erased_since', 'keep_erasure', 'erase_entries', 'make_erase'],
].map((name) => `erasure/${name}`)

/** The text of the migration that makes row triggers. */
function composeTriggers() {
  return [
    '-- Row triggers that record every change of a table, the context that says who made it, and the index of who read a record.',
    '-- Idempotent: running it again changes nothing. Made by scripts/migrations.mjs from prisma/functions.',
    '',
    'CREATE SCHEMA IF NOT EXISTS "audit_logs_internal";',
    '',
    readFunctions(functions),
    '',
    '-- Nobody else may attach a trigger function to a table of his own, or call what is internal.',
    'REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "audit_logs_internal" FROM PUBLIC;',
    '',
    madeFor('qualify_record', 'audit_logs_record'),
    madeFor('make_write', 'audit_logs_write'),
    '',
  ].join('\n')
}

/** The text of the migration that makes the functions of partitioned logs. */
function composePartitions() {
  return [
    '-- A log that is a table of months: what creates and protects its partitions, what makes a log such a table, and what takes',
    '-- months out of it that are in the archive.',
    '-- Idempotent: running it again changes nothing. Made by scripts/migrations.mjs from prisma/functions/partitions.',
    '',
    'CREATE SCHEMA IF NOT EXISTS "audit_logs_internal";',
    '',
    readFunctions(partitionFunctions),
    '',
    'REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "audit_logs_internal" FROM PUBLIC;',
    '',
    '-- Where somebody has partitioned the log himself already.',
    madeFor('make_write', 'audit_logs_write'),
    madeFor('make_newest', 'audit_logs_newest'),
    '',
    versionFunction(5),
    '',
  ].join('\n')
}

/** The text of the migration that makes the functions that erase. */
function composeErasure() {
  return [
    '-- Erasing personal values from entries: one function that tells of what it does, and triggers that let exactly that through.',
    '-- Idempotent: running it again changes nothing. Made by scripts/migrations.mjs from prisma/functions/erasure.',
    '',
    readFunctions(erasureFunctions),
    '',
    'REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "audit_logs_internal" FROM PUBLIC;',
    '',
    madeFor('make_erase', 'audit_logs_erase'),
    '',
    versionFunction(6),
    '',
  ].join('\n')
}

/** Makes a function whose body names the log's schema. */
function madeFor(maker, name) {
  return `SELECT "audit_logs_internal"."${maker}"(
  (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs")), '${name}');`
}

/** By which a client sees what the migrations have made. */
function versionFunction(version) {
  return `CREATE OR REPLACE FUNCTION "audit_logs_version"() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS E'SELECT ${version}';`
}

function readFunctions(names) {
  const sources = names.map((name) => readFileSync(`prisma/functions/${name}.sql`, 'utf8').trim())
  return sources
    .map((source) => source.replace(/AS \$\$([\s\S]*?)\$\$/g, (_, body) => `AS E'${asStringBody(body)}'`))
    .join('\n\n')
}

function asStringBody(body) {
  return body.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll(';', '\\073')
}

const examples = ['demo', 'express', 'hono', 'nestjs']
/** What makes the text of each migration that is composed, by their names. */
export const composed = {
  '20260201000000_audit_log_triggers': composeTriggers,
  '20260601000000_audit_log_partitions': composePartitions,
  '20260701000000_audit_log_erasure': composeErasure,
}
/** The migrations that the examples have copies of, by their names there. */
const copied = {
  '20260201000000_audit_log_functions': '20260201000000_audit_log_triggers',
  '20260401000000_audit_log_readers': '20260401000000_audit_log_readers',
  '20260501000000_audit_log_seals': '20260501000000_audit_log_seals',
  '20260601000000_audit_log_partitions': '20260601000000_audit_log_partitions',
  '20260701000000_audit_log_erasure': '20260701000000_audit_log_erasure',
}

if (process.argv[1]?.endsWith('migrations.mjs')) {
  for (const [name, compose] of Object.entries(composed)) {
    mkdirSync(`prisma/migrations/${name}`, { recursive: true })
    writeFileSync(`prisma/migrations/${name}/migration.sql`, compose())
  }
  for (const example of examples) {
    const folder = `examples/${example}/prisma/migrations`
    for (const [copy, name] of Object.entries(copied)) {
      mkdirSync(`${folder}/${copy}`, { recursive: true })
      copyFileSync(`prisma/migrations/${name}/migration.sql`, `${folder}/${copy}/migration.sql`)
    }
  }
}
