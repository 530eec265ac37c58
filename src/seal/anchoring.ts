import type { Anchor } from '../anchor.ts'
import { AuditError } from '../errors.ts'
import { internalTable } from '../log/internal-schema.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { readKnownPosition } from '../reader/eras.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { sealingConsumer } from './append.ts'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { isSignedBy } from './keys.ts'
import { parseNote } from './note.ts'
import type { Signer } from './signer.ts'
import { readHead, type StoredCheckpoint } from './stored-checkpoint.ts'
import { readTilesFor } from './stored-tiles.ts'
import { consistencyRanges } from './tree-proofs.ts'

/** What an anchor is called among those that read the log on. */
const anchorPrefix = 'anchor:'

/** Has one anchor keep the checkpoints of a log. */
export class Anchoring {
  readonly #log: ReaderLog
  readonly #signer: Signer
  readonly #anchor: Anchor
  #published = 0

  constructor(log: ReaderLog, signer: Signer, anchor: Anchor) {
    this.#log = log
    this.#signer = signer
    this.#anchor = anchor
  }

  /**
   * Publishes the newest checkpoint, unless the anchor has it.
   *
   * @returns its number; undefined where there is nothing to publish
   * @throws AuditError `AUDIT_ANCHOR_FAILED`; `AUDIT_SEALS_BROKEN` where the newest checkpoint is older than what was published, or not
   *   signed by a key that is known
   */
  async step(signal: AbortSignal): Promise<number | undefined> {
    const { log: name } = await readKnownPosition(this.#log)
    const head = await readHead(this.#log, name)
    const { number: published, state } = await this.#readPlace(name)
    const newest = Math.max(published, this.#published)
    if ((head?.number ?? 0) < newest)
      throw this.#broken(`checkpoint ${newest}, which was published there, is not in the database`)
    if (!head || head.number === newest) return undefined
    const checkpoint = this.#checked(head)
    const kept = await this.#publish(name, head, { ...checkpoint, state }, signal)
    await this.#writePlace(name, head, kept)
    this.#published = head.number
    return head.number
  }

  async #publish(
    name: string,
    { note, number }: StoredCheckpoint,
    checkpoint: Checkpoint & { readonly state: unknown },
    signal: AbortSignal,
  ): Promise<unknown> {
    const consistencyFrom = async (size: number) => {
      const ranges = consistencyRanges(size, checkpoint.size)
      const tiles = await readTilesFor(this.#log, name, ranges)
      return ranges.map((range) => tiles.hashOf(range))
    }
    signal.throwIfAborted()
    try {
      return await this.#anchor.publish(note, { ...checkpoint, consistencyFrom }, signal)
    } catch (cause) {
      if (cause instanceof AuditError && cause.code === 'AUDIT_SEALS_BROKEN') throw cause
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new AuditError(
        'AUDIT_ANCHOR_FAILED',
        `Checkpoint ${number} of the audit log ${quoteTable(this.#log.table)} is not published at the anchor ${JSON.stringify(this.#anchor.name)}: ${reason.replace(/\.$/, '')}. It is tried again, or a later checkpoint is, which covers this one.`,
        { cause },
      )
    }
  }

  /** Nothing is published in the log's name but what its key signed. */
  #checked({ number, note, size, root }: StoredCheckpoint): Checkpoint {
    const signed = parseNote(note)
    const checkpoint = signed && parseCheckpoint(signed.text)
    const isOwn =
      signed &&
      checkpoint?.size === size &&
      checkpoint.root.equals(root) &&
      checkpoint.origin === this.#signer.origin &&
      this.#signer.keys.some((key) => isSignedBy(signed, key))
    if (isOwn) return checkpoint
    throw this.#broken(`checkpoint ${number} is not what the key of the log signed`)
  }

  async #readPlace(name: string): Promise<{ number: number; state: unknown }> {
    const [row] = await this.#log.connection.query<{ batch: string; state: string | null }>(
      `SELECT batch::text, state::text FROM ${this.#consumers()} WHERE log = $1::text AND name = $2::text`,
      ...[name, `${anchorPrefix}${this.#anchor.name}`],
    )
    return { number: Number(row?.batch ?? 0), state: row?.state ? JSON.parse(row.state) : null }
  }

  /** The highest seq is that of whoever seals. */
  async #writePlace(name: string, { number, place }: StoredCheckpoint, state: unknown): Promise<void> {
    await this.#log.connection.query(
      `INSERT INTO ${this.#consumers()} AS c (log, name, era, transaction_id, seq, batch, state, highest_seq, acknowledged_at)
SELECT $1::text, $2::text, $3::int4, $4::int8, $5::int8, $6::int8, $7::jsonb,
  coalesce((SELECT s.highest_seq FROM ${this.#consumers()} AS s WHERE s.log = $1::text AND s.name = '${sealingConsumer}'), $5::int8),
  pg_catalog.clock_timestamp()
ON CONFLICT (log, name) DO UPDATE SET era = excluded.era, transaction_id = excluded.transaction_id, seq = excluded.seq,
  batch = excluded.batch, state = coalesce(excluded.state, c.state), highest_seq = greatest(c.highest_seq, excluded.highest_seq),
  acknowledged_at = excluded.acknowledged_at
WHERE c.batch < excluded.batch`,
      ...[name, `${anchorPrefix}${this.#anchor.name}`],
      ...[place.era, place.transactionId, place.seq, number].map(String),
      state === undefined ? null : JSON.stringify(state),
    )
  }

  #consumers(): string {
    return internalTable(this.#log.table, 'consumers')
  }

  #broken(reason: string): AuditError {
    return new AuditError(
      'AUDIT_SEALS_BROKEN',
      `Nothing was published at the anchor ${JSON.stringify(this.#anchor.name)} for the audit log ${quoteTable(this.#log.table)}: ${reason}. Run "npx prisma-extension-audit verify --anchor …" to see what was altered, and see docs/seals.md, "When sealing stops".`,
    )
  }
}
