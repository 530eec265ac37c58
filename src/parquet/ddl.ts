import { fileURLToPath } from 'node:url'
import { quoteLiteral } from '../postgres/identifiers.ts'
import { type ParquetType, parquetColumns } from './columns.ts'
import { entriesFolder } from './manifest.ts'

/** Engines that others run, over the same files. */
export const engines = ['athena', 'trino', 'spark', 'clickhouse', 'duckdb'] as const
export type Engine = (typeof engines)[number]

const types: Record<Engine, Record<ParquetType, string>> = {
  athena: { text: 'string', instant: 'timestamp', integer: 'bigint' },
  // the Hive connector makes no column of a timestamp with time zone
  trino: { text: 'varchar', instant: 'timestamp(6)', integer: 'bigint' },
  spark: { text: 'STRING', instant: 'TIMESTAMP', integer: 'BIGINT' },
  clickhouse: { text: 'Nullable(String)', instant: "DateTime64(6, 'UTC')", integer: 'Int64' },
  duckdb: { text: 'VARCHAR', instant: 'TIMESTAMPTZ', integer: 'BIGINT' },
}

/**
 * What makes the files of an archive a table `audit_logs` of an engine, and an example of a question.
 *
 * @param location of the archive: `s3://bucket/prefix/`, `file:///var/archive/audit`
 * @param log with its schema: `public.audit_logs`
 */
export function archiveDdl(engine: Engine, location: string, log: string): string {
  const folder = `${location.replace(/\/?$/, '/')}${entriesFolder(log)}/`
  return `${table[engine](folder, columnsFor(engine))}\n\n${question(engine)}\n`
}

function columnsFor(engine: Engine): string {
  const quote = engine === 'athena' || engine === 'spark' || engine === 'clickhouse' ? '`' : '"'
  return parquetColumns
    .map(({ name, type }) => `  ${quote}${name}${quote} ${types[engine][type]}`)
    .join(',\n')
}

const table: Record<Engine, (folder: string, columns: string) => string> = {
  athena: (
    folder,
    columns,
  ) => `-- Times are UTC, and Athena gives them in milliseconds. It reads the months of the range: begin it with your first one.
CREATE EXTERNAL TABLE audit_logs (
${columns}
)
PARTITIONED BY (\`month\` string)
STORED AS PARQUET
LOCATION '${folder}'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.month.type' = 'date', 'projection.month.format' = 'yyyy-MM', 'projection.month.range' = '2020-01,NOW',
  'projection.month.interval' = '1', 'projection.month.interval.unit' = 'MONTHS',
  'storage.location.template' = '${folder}month=\${month}/'
);`,
  trino: (
    folder,
    columns,
  ) => `-- In a catalog of the Hive connector with hive.timestamp-precision=MICROSECONDS, without which this is refused,
-- and hive.parquet.time-zone=UTC, without which times are those of the server's zone
CREATE TABLE audit_logs (
${columns},
  "month" varchar
)
WITH (format = 'PARQUET', external_location = '${folder}', partitioned_by = ARRAY['month']);
CALL system.sync_partition_metadata(CURRENT_SCHEMA, 'audit_logs', 'FULL'); -- again after each month`,
  spark: (folder, columns) => `-- Before Spark 3.4: SET spark.sql.parquet.enableVectorizedReader = false;
CREATE TABLE audit_logs (
${columns},
  \`month\` STRING
)
USING PARQUET
PARTITIONED BY (\`month\`)
LOCATION '${folder.replace(/^s3:/, 's3a:')}';
MSCK REPAIR TABLE audit_logs; -- again after each month`,
  clickhouse: (folder, columns) => {
    const isInS3 = folder.startsWith('s3:')
    const differs = isInS3
      ? `-- With the server's credentials, or s3('s3://…', 'key', 'secret', 'Parquet', …). In another store than Amazon's the address is
-- https://host/bucket/… A folder is read by file('/path/…', 'Parquet', …).`
      : `-- A server reads files below its user_files_path. A bucket is read by s3('s3://bucket/…', 'Parquet', …).`
    return `${differs}
CREATE VIEW audit_logs AS
SELECT * FROM ${isInS3 ? 's3' : 'file'}(${filesIn(folder)}, 'Parquet', $$
${columns},
  \`month\` String
$$);`
  },
  duckdb: (folder) => `CREATE VIEW audit_logs AS
SELECT * FROM read_parquet(${filesIn(folder)}, hive_partitioning = true, hive_types_autocast = false);`,
}

/** Of all months, as a constant. */
function filesIn(folder: string): string {
  return quoteLiteral(`${folder.startsWith('file:') ? fileURLToPath(folder) : folder}month=*/*.parquet`)
}

/** Files are sorted by these columns, so that little is read. */
function question(engine: Engine): string {
  const quote = engine === 'spark' || engine === 'clickhouse' ? '`' : '"'
  return `-- what happened to the order 42
SELECT ${quote}timestamp${quote}, actor_id, action, details FROM audit_logs
WHERE resource_type = 'order' AND resource_id = '42'
  AND ${quote}month${quote} BETWEEN '2024-01' AND '2024-12'
ORDER BY ${quote}timestamp${quote}, seq;`
}
