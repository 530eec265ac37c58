/**
 * What does not fit, by what was done:
 *
 * - `changed`: a row has other values than were sealed, or its salt is another
 * - `missing`: a row that was sealed is gone
 * - `added`: a row stands before the last sealed one, and was never sealed
 * - `reordered`: a row has its values, and stands in another place than it was sealed in
 * - `leaf`: leaves or salts are damaged or gone
 * - `tile`: the root of a tile is not that of its leaves
 * - `checkpoint`: a checkpoint has another size or root than the tree, or is not signed by a key that is known
 * - `anchor`: a checkpoint that was kept outside is not of this log: it was cut off, put back, or sealed anew. `leaves` says from where on
 */
export type FindingKind =
  | ('changed' | 'missing' | 'added' | 'reordered')
  | ('leaf' | 'tile' | 'checkpoint' | 'anchor')

/** One thing that does not fit. */
export interface Finding {
  readonly kind: FindingKind
  /** For people: what was found, and what it was sealed as. */
  readonly message: string
  /** The entry that it is about. */
  readonly entry?: FoundEntry
  /** The leaves that it is about, the last one included. */
  readonly leaves?: { readonly first: number; readonly last: number }
  /** The number of the checkpoint that it is about, or that proves it: the first one that covers the leaf. */
  readonly checkpoint?: number
}

export interface FoundEntry {
  readonly id: string
  readonly seq: string
  /** As the row says now; left out where there is none. */
  readonly action?: string
  readonly actor?: string
  readonly resource?: string
  readonly timestamp?: string
}

/** Told of what does not fit, as it is found. */
export type OnFinding = (finding: Finding) => void
