import type { Link, LinkSide } from '../../models/data-model.ts'
import { quoteLiteral } from '../../postgres/identifiers.ts'
import { detailsOf, type EntryParameters } from './entry.ts'

interface LinkEntries {
  readonly link: Link
  readonly isTracked: (side: LinkSide) => boolean
  readonly entry: EntryParameters
  /** The CTE whose rows are links made or cut. */
  readonly from: string
  readonly verb: 'connect' | 'disconnect'
  /** The ids of both sides as columns of `from`. */
  readonly ids: { readonly A: string; readonly B: string }
  /** An SQL literal, for links that a referential action made or cut. */
  readonly cause?: string
  readonly where?: string
}

/**
 * A link is recorded on each side: `post.connect` on the post, with the tag as its target, and `tag.connect` on the
 * tag. Gives one query.
 */
export function linkEntries({ link, isTracked, entry, from, verb, ids, cause, where }: LinkEntries): string {
  const sides = [
    { side: link.A, other: link.B, id: ids.A, otherId: ids.B },
    { side: link.B, other: link.A, id: ids.B, otherId: ids.A },
  ]
  const entries = sides
    .filter(({ side }) => isTracked(side))
    .map(({ side, other, id, otherId }) => {
      const target = `pg_catalog.jsonb_build_object('type', ${quoteLiteral(other.model.resource)}, 'id', ${otherId})`
      const details = { relation: `${quoteLiteral(side.relation)}::text`, target, ...(cause && { cause }) }
      const { resource } = side.model
      return `SELECT ${quoteLiteral(`${resource}.${verb}`)}, ${quoteLiteral(resource)}, ${id}, ${detailsOf(details, entry)}`
    })
  const filter = where ? ` WHERE ${where}` : ''
  return `SELECT side.* FROM ${from} CROSS JOIN LATERAL (${entries.join(' UNION ALL ')}) AS side${filter}`
}
