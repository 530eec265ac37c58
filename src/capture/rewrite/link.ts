import type { Link } from '../../models/data-model.ts'
import { own, quoteLiteral } from '../../postgres/identifiers.ts'
import { differs } from '../../values/sql-json.ts'
import { entryDetails } from './entry-details.ts'
import type { EntryQuery } from './entry-insert.ts'
import type { EntryParameters } from './entry-parameters.ts'
import type { RowEntries } from './row-entries.ts'
import type { RowReference } from './row-names.ts'
import type { TrackedTable } from './tracked-table.ts'

interface LinkRows {
  /** The CTE of the rows of a join table. */
  readonly from: string
  /** The row that was removed, and the one that was added: a link was cut, made, or moved. */
  readonly before?: RowReference
  readonly after?: RowReference
  /** Which of the rows, if not all: SQL conditions on `from`. */
  readonly isCut?: string
  readonly isMade?: string
  readonly entry: EntryParameters
  /** An SQL literal, for links that a referential action made or cut. */
  readonly cause?: string
}

/**
 * A link is recorded on each side: `post.connect` on the post, with the tag as its target, and `tag.connect` on the
 * tag.
 */
export function linkEntries(link: Link, tracked: TrackedTable, rows: LinkRows): RowEntries {
  const { before, after, isCut, isMade } = rows
  const ids = (prefix: string, row: RowReference | undefined) =>
    row && { [`${prefix}_a`]: tracked.linkedId('A', row), [`${prefix}_b`]: tracked.linkedId('B', row) }
  return {
    columns: { ...ids('old', before), ...ids('new', after) },
    queries: [
      ...(before ? [linkQuery(link, tracked, rows, 'disconnect', 'old', isCut)] : []),
      ...(after ? [linkQuery(link, tracked, rows, 'connect', 'new', isMade)] : []),
    ],
  }
}

/** Links that an update moves. Unchanged ones have no entry. */
export function movedLinkEntries(
  link: Link,
  tracked: TrackedTable,
  rows: LinkRows & Required<Pick<LinkRows, 'before' | 'after'>>,
): RowEntries {
  const { before, after, from } = rows
  const moved = `${from}.${own('moved')}`
  const entries = linkEntries(link, tracked, { isCut: moved, isMade: moved, ...rows })
  const changes = tracked.table.columns.map((column) => differs(column, before(column), after(column)))
  return { ...entries, columns: { ...entries.columns, moved: changes.join(' OR ') } }
}

function linkQuery(
  link: Link,
  tracked: TrackedTable,
  { from, entry, cause }: LinkRows,
  verb: 'connect' | 'disconnect',
  prefix: string,
  where: string | undefined,
): EntryQuery {
  const [idA, idB] = [`${from}.${own(`${prefix}_a`)}`, `${from}.${own(`${prefix}_b`)}`]
  const sides = [
    { side: link.A, other: link.B, id: idA, otherId: idB },
    { side: link.B, other: link.A, id: idB, otherId: idA },
  ]
  const entries = sides
    .filter(({ side }) => tracked.isSideTracked(side))
    .map(({ side, other, id, otherId }) => {
      const target = `pg_catalog.jsonb_build_object('type', ${quoteLiteral(other.model.resource)}, 'id', ${otherId})`
      const details = { relation: `${quoteLiteral(side.relation)}::text`, target, ...(cause && { cause }) }
      const { resource } = side.model
      return `SELECT ${quoteLiteral(`${resource}.${verb}`)}, ${quoteLiteral(resource)}, ${id}, ${entryDetails(details, entry)}`
    })
  const each = `${from} CROSS JOIN LATERAL (${entries.join(' UNION ALL ')})`
  return {
    action: 'side.action',
    resourceType: 'side.resource_type',
    resourceId: 'side.resource_id',
    details: 'side.details',
    from: `${each} AS side(action, resource_type, resource_id, details)${where ? ` WHERE ${where}` : ''}`,
  }
}
