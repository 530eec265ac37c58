import { internalName, internalTable } from '../log/internal-schema.ts'
import { boundSql } from '../parquet/catalog.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import type { ResolvedRetention } from '../retention-options.ts'
import type { OwnedLog } from './owned-log.ts'

/** A partition that is over, and what of it stays. */
export interface PastMonth {
  /** With its schema, quoted where needed. */
  readonly partition: string
  /** The log, in the same form. */
  readonly log: string
  /** ISO 8601; null for what has no month before it. */
  readonly lower: string | null
  readonly upper: string
  readonly isArchived: boolean
  /** Whether entries that a rule matches stay now. */
  readonly rules: readonly { readonly stays: boolean }[]
  /** Whether all others do. */
  readonly othersStay: boolean
}

/** The partitions whose time is over by the clock of the database, the oldest first. */
export async function readPastMonths(
  log: OwnedLog,
  { default: others, rules }: ResolvedRetention,
): Promise<PastMonth[]> {
  const stays = (keep: string) =>
    `CASE WHEN ${keep} = 'forever' THEN true ELSE p.upper > now() - ${keep}::pg_catalog.interval END`
  const rows = await log.connection.query<{ month: string }>(
    `SELECT pg_catalog.json_build_object(
  'partition', ${internalName(log.table, 'log_name')}(p.partition), 'log', l.name,
  'lower', ${boundSql('p.lower')}, 'upper', ${boundSql('p.upper')},
  'isArchived', EXISTS (SELECT FROM ${internalTable(log.table, 'archives')} AS a WHERE a.log = l.name AND a.upper = p.upper),
  'rules', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('resource', r.resource, 'organization', r.organization,
      'stays', CASE WHEN r.hold THEN true ELSE ${stays('r.keep')} END)), '[]')
    FROM pg_catalog.json_to_recordset($2::text::json) AS r(resource text, organization text, hold boolean, keep text)),
  'othersStay', ${stays('$3::text')}
)::text AS month
FROM ${internalName(log.table, 'partitions')}($1::text::pg_catalog.regclass) AS p,
  LATERAL (SELECT ${internalName(log.table, 'log_name')}($1::text::pg_catalog.regclass) AS name) AS l
WHERE p.upper <= pg_catalog.clock_timestamp() ORDER BY p.upper`,
    ...[quoteTable(log.table), JSON.stringify(rules), others],
  )
  return rows.map(({ month }) => JSON.parse(month) as PastMonth)
}

/** Whether something may leave now. */
export function mayLeave({ rules, othersStay }: PastMonth): boolean {
  return !othersStay || rules.some(({ stays }) => !stays)
}

/** A policy for people: `1 year; session: 90 days; organization acme: hold`. */
export function describePolicy({ default: others, rules }: ResolvedRetention): string {
  const parts = rules.map(({ resource, organization, keep }) => {
    const what = [...(resource ? [resource] : []), ...(organization ? [`organization ${organization}`] : [])]
    return `${what.join(' of ')}: ${keep ?? 'hold'}`
  })
  return [others, ...parts].join('; ')
}
