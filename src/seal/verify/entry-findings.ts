import { idInLeaf, saltLength, seqInLeaf } from '../leaf.ts'
import type { SealedLeaf } from '../sealed-leaf.ts'
import type { Finding, FoundEntry } from './finding.ts'
import { type RowValues, textIn } from './rows-between.ts'

/** A row that is not what was sealed. */
export function entryChanged(row: RowValues, leaf: SealedLeaf): Finding {
  const seq = seqInLeaf(leaf.bytes)
  const entry = foundEntry(row)
  const parts = [
    ...(entry.seq === String(seq) ? [] : [`its seq is ${entry.seq}, and was ${seq}`]),
    ...(leaf.salt.length === saltLength ? [] : ['the salt of its seal is gone']),
  ]
  const how =
    parts.length > 0
      ? parts.join(', and ')
      : 'its values, or the salt of its seal, are not those that were sealed'
  return {
    ...{ kind: 'changed', entry, leaves: leavesOf(leaf) },
    message: `Entry ${entry.id} was changed: ${how}`,
  }
}

/** A row that is as it was sealed, in another place. */
export function entryReordered(row: RowValues, leaf: SealedLeaf): Finding {
  const entry = foundEntry(row)
  return {
    ...{ kind: 'reordered', entry, leaves: leavesOf(leaf) },
    message: `Entry ${entry.id} is as it was sealed, but stands in another place in the order of the log`,
  }
}

/**
 * A leaf whose row is nowhere.
 *
 * @param mayBeArchived whether months have left for an archive that was not looked at
 */
export function entryMissing(leaf: SealedLeaf, mayBeArchived = false): Finding {
  const entry = { id: idInLeaf(leaf.bytes), seq: String(seqInLeaf(leaf.bytes)) }
  const where = mayBeArchived
    ? 'is not in the table. Months have left it: verify with the archive, the option retention of audit.config.ts'
    : 'is gone'
  const message = `Entry ${entry.id} with seq ${entry.seq} was sealed, and ${where}`
  return { kind: 'missing', message, entry, leaves: leavesOf(leaf) }
}

/**
 * A row that no leaf is of, where all is sealed.
 *
 * @param hasAllLeaves whether none is known to be gone, which could have been that of this row
 */
export function entryAdded(entry: FoundEntry, hasAllLeaves: boolean): Finding {
  const why = hasAllLeaves
    ? 'was never sealed: it was added afterwards'
    : 'has no leaf: it was added afterwards, or its leaf is one of those that are gone or damaged'
  const message = `Entry ${entry.id} stands among sealed entries, and ${why}`
  return { kind: 'added', entry, message }
}

/** What a row says of itself. */
export function foundEntry(row: RowValues): FoundEntry {
  const text = (name: Parameters<typeof textIn>[1]) => textIn(row, name) ?? ''
  const resourceId = textIn(row, 'resource_id')
  return {
    ...{ id: text('id'), seq: text('seq'), action: text('action'), actor: text('actor_id') },
    resource: `${text('resource_type')}${resourceId === null ? '' : `:${resourceId}`}`,
    timestamp: text('timestamp'),
  }
}

function leavesOf({ index }: SealedLeaf): NonNullable<Finding['leaves']> {
  return { first: index, last: index }
}
