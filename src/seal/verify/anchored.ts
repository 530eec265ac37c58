import type { Anchor } from '../../anchor.ts'
import { AuditError } from '../../errors.ts'
import { parseCheckpoint } from '../checkpoint.ts'
import { isSignedBy } from '../keys.ts'
import { parseNote } from '../note.ts'
import type { TrustedKeys } from './checkpoint-check.ts'
import type { Finding, OnFinding } from './finding.ts'
import type { TreeCheck } from './tree-check.ts'

/** Where checkpoints are read that were kept outside. */
export type ReadableAnchor = Required<Pick<Anchor, 'name' | 'read'>>

interface KeptCheckpoint {
  readonly size: number
  /** In base64, which takes less memory than a buffer: there may be millions. */
  readonly root: string
  /** The name of the anchor. */
  readonly anchor: string
}

/**
 * The checkpoints that anchors have, by size. Those of another log are left out, and so is what no known key has signed, which is a finding.
 *
 * @throws AuditError `AUDIT_ANCHOR_FAILED` where an anchor can't be read
 */
export async function readKept(
  anchors: readonly ReadableAnchor[],
  trusted: TrustedKeys,
  signal: AbortSignal,
): Promise<{ readonly kept: readonly KeptCheckpoint[]; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = []
  const kept: KeptCheckpoint[] = []
  for (const { name, read } of anchors) {
    let count = 0
    try {
      for await (const note of read(signal)) {
        const found = keptIn(note, trusted)
        if (found === 'of another log') continue
        if (!found) {
          const message = `The anchor ${JSON.stringify(name)} has a note that none of the keys signed: ${JSON.stringify(note.slice(0, 100))}`
          findings.push({ kind: 'anchor', message })
          continue
        }
        count++
        kept.push({ size: found.size, root: found.root.toString('base64'), anchor: name })
      }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new AuditError(
        'AUDIT_ANCHOR_FAILED',
        `The anchor ${JSON.stringify(name)} can't be read, so nothing was verified: ${inOneLine(reason)}.`,
        { cause },
      )
    }
    if (count > 0) continue
    const message = `The anchor ${JSON.stringify(name)} has no checkpoint of this log: it proves nothing`
    findings.push({ kind: 'anchor', message })
  }
  return { kept: kept.sort((a, b) => a.size - b.size).filter(isAnother), findings }
}

/** Whether none before it is the same checkpoint, from another anchor. */
function isAnother({ size, root }: KeptCheckpoint, index: number, kept: readonly KeptCheckpoint[]): boolean {
  for (let at = index - 1; kept[at]?.size === size; at--) if (kept[at]?.root === root) return false
  return true
}

/** OpenSSL's reasons have line ends. */
function inOneLine(reason: string): string {
  return reason.replaceAll(/\s+/g, ' ').replace(/\.$/, '')
}

function keptIn(
  note: string,
  { keys, origin }: TrustedKeys,
): { size: number; root: Buffer } | 'of another log' | undefined {
  const signed = parseNote(note)
  const checkpoint = signed && parseCheckpoint(signed.text)
  if (!signed || !checkpoint || !keys.some((key) => isSignedBy(signed, key))) return undefined
  return origin !== undefined && checkpoint.origin !== origin ? 'of another log' : checkpoint
}

/** Compares the tree with the checkpoints that were kept outside, from the smallest to the largest. */
export class AnchorCheck {
  readonly #kept: readonly KeptCheckpoint[]
  readonly #onFinding: OnFinding
  #at = 0
  #fitting = 0
  /** The first that does not fit, and how many more there are. */
  #differing: { readonly first: KeptCheckpoint; readonly after: number; others: number } | undefined

  /** @param since the size up to which the tree is taken as it is */
  constructor(kept: readonly KeptCheckpoint[], since: number, onFinding: OnFinding) {
    this.#kept = kept.filter(({ size }) => size >= since)
    this.#onFinding = onFinding
  }

  /** The size of the next one; Infinity behind the last. */
  get next(): number {
    return this.#kept[this.#at]?.size ?? Number.POSITIVE_INFINITY
  }

  /** The size up to which the tree is that of an anchor. */
  get fitting(): number {
    return this.#fitting
  }

  /** @param newest the size of the newest checkpoint in the database so far */
  compare(tree: TreeCheck, newest: number): void {
    for (; this.next === tree.size; this.#at++) {
      const kept = this.#kept[this.#at] as KeptCheckpoint
      if (!tree.has(Buffer.from(kept.root, 'base64'))) this.#differs(kept)
      else {
        this.#fitting = kept.size
        if (newest !== kept.size) this.#missing(kept)
      }
    }
  }

  /** Says what does not fit. */
  end(tree: TreeCheck): void {
    const last = this.#kept.at(-1)
    if (this.#differing) {
      const { first, after, others } = this.#differing
      const more = others === 0 ? '' : `, and ${others} later ${others === 1 ? 'one' : 'ones'}`
      this.#onFinding({
        ...{ kind: 'anchor', leaves: { first: after, last: first.size - 1 } },
        message: `The log is another than it was: the checkpoint of ${first.size} entries that the anchor ${JSON.stringify(first.anchor)} has is not of this tree${more}. Entries behind the first ${after} were altered or exchanged, and sealed anew`,
      })
    }
    if (!last || this.#at === this.#kept.length) return
    this.#onFinding({
      ...{ kind: 'anchor', leaves: { first: tree.size, last: last.size - 1 } },
      message: `The log was cut off, or put back to an earlier state: the anchor ${JSON.stringify(last.anchor)} has a checkpoint of ${last.size} entries, and the tree has ${tree.size}`,
    })
  }

  #differs(kept: KeptCheckpoint): void {
    if (this.#differing) this.#differing.others++
    else this.#differing = { first: kept, after: this.#fitting, others: 0 }
  }

  #missing({ size, anchor }: KeptCheckpoint): void {
    const message = `The checkpoint of ${size} entries that the anchor ${JSON.stringify(anchor)} has is not in the database: somebody took it away`
    this.#onFinding({ kind: 'anchor', leaves: { first: size - 1, last: size - 1 }, message })
  }
}
