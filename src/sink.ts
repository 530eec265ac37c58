/** A place beyond the database that gets every committed entry: files, a service, a store of objects. */
export interface Sink {
  /**
   * Names the sink's place in the log: the database keeps, under this name, how far it is. 1 to 100 characters, and never
   * another one for the same sink: under a new name it begins with the first entry of the log.
   */
  readonly name: string
  /** How much one batch holds at most, and how long entries wait for more to come. */
  readonly limits?: SinkLimits
  /**
   * Called before the first batch, and again after it failed. Makes sure that the sink can be written to, and throws where it
   * can't.
   */
  open?(signal: AbortSignal): Promise<void>
  /**
   * Stores a batch. When it returns, every entry of the batch is stored durably: neither the end of this process nor that of
   * the sink's machine loses one. What is not stored for certain has to throw.
   *
   * Batches come one at a time, in the order of their numbers. After an error, and when a process was killed, the same batch
   * comes again, with the same number, bounds and entries, perhaps in another process: none of the later ones comes before.
   * It may have been stored already. A sink stores it once, or such that whoever reads it can tell: by the number, or by `id`.
   *
   * Rarely, a process that was suspended wakes up and goes on with a batch that another one has finished meanwhile, along with later
   * ones. That must not take anything back that is stored.
   *
   * Once `batch.signal` is aborted it throws as soon as it can: it is waited for.
   *
   * @returns what to keep with the batch, as JSON: the next batch has it as `state`. It is committed together with the
   * place in the log, so it always is that of the last batch that was stored. Undefined leaves what is kept
   * @throws AuditError that says how soon another attempt is worth it: `AUDIT_SINK_AWAY` after a second, then two, four, up
   * to a minute; `AUDIT_SINK_THROTTLED` the same, but not before its `retryAfter`; `AUDIT_SINK_REFUSED`, where somebody has
   * to mend something, once a minute. Any other error counts as `AUDIT_SINK_AWAY`. Nothing is ever skipped
   */
  write(batch: SinkBatch): Promise<unknown>
  /** Called once, after the last batch. */
  close?(): Promise<void>
  /** What the sink has stored, where it can be read back: `verify-archive` compares it with the log. */
  readonly archive?: Archive
}

/** How much one batch holds. */
export interface SinkLimits {
  /** Default 1,000, and 10,000 at most. */
  readonly entries?: number
  /** Of `lines`; the last entry of a batch may go beyond. Default 8 MiB. */
  readonly bytes?: number
  /** Milliseconds that entries wait for a batch to become full. Default 0: what is there goes out. */
  readonly age?: number
}

/** Entries that follow each other in the log, all of one era. */
export interface SinkBatch {
  /** In order of transaction ids, then of `seq`; one at least. Made when it is asked for: `lines` are there at once. */
  readonly entries: readonly ExactRow[]
  /** The same entries as NDJSON in UTF-8, a line each. */
  readonly lines: Uint8Array
  /** From 1, without gaps, for each sink. It goes on in a new era. */
  readonly number: bigint
  /** The place behind the batch before, and that of the last entry: era, transaction id and `seq`, as in `1.4711.90210`. */
  readonly from: string
  readonly until: string
  /** The log, with its schema. */
  readonly log: string
  /** In which time the transaction ids of these entries grow; a restore, or another cluster, begins the next. */
  readonly era: { readonly number: number; readonly id: string; readonly beganAt: string }
  /** What `write` returned for the batch before; null for the first. */
  readonly state: unknown
  /** Aborted when shipping stops, and when another process may have taken over. */
  readonly signal: AbortSignal
}

/** What a sink has stored. */
export interface Archive {
  /** Where it is, for people, and without secrets: `s3://acme-audit/prod/`. */
  readonly place: string
  /**
   * Reads all of it, in the order in which it was stored, and never more at a time than one part. What can be told without the
   * log, such as a wrong digest, is reported as a fault, and reading goes on behind it. Whether lines equal the log is not its task.
   *
   * @throws AuditError `AUDIT_ARCHIVE_UNREADABLE` where it can't be read, which says nothing of what is in it
   */
  read(reading: ArchiveReading): AsyncIterable<ArchivePart>
}

/** What whoever reads an archive is told, and tells. */
export interface ArchiveReading {
  /** How many batches count as stored when reading begins, and what `write` returned for the last of them; null before the first. */
  readonly acknowledged: { readonly batches: bigint; readonly state: unknown }
  /** The present era of the log. An archive may have more of an earlier one than the log, which was restored to an earlier time. */
  readonly era: SinkBatch['era']
  /** How many batches are begun by now. */
  begun(): Promise<bigint>
  /** Something is not as it was stored. */
  fault(kind: ArchiveFault, place: string, message: string): void
  /** Nothing is wrong, and whoever reads the report has to know. */
  note(message: string): void
  readonly signal: AbortSignal
}

/** An object, or a file. */
export interface ArchivePart {
  /** Its name. */
  readonly place: string
  /** The lines as they are stored, without their ends: an entry each. */
  readonly lines: Iterable<string> | AsyncIterable<string>
  /** Stored before the log was restored to an earlier time: the log need not have it. Default false. */
  readonly isSuperseded?: boolean
  /** How much of the archive has been read with it, from 0 to 1; an estimate. */
  readonly fraction: number
}

/** What can be wrong with an archive itself. */
export const archiveFaults = {
  missing: 'was stored and is not there',
  changed: 'is not what was stored',
  extra: 'is there, and nothing that was stored names it',
  chain: 'does not follow what was stored before',
  unlocked: 'can be deleted earlier than it was stored to be',
  overwritten: 'has another version over what was stored, which is still there',
  deleted: 'has a delete marker over what was stored, which is still there',
} as const

export type ArchiveFault = keyof typeof archiveFaults

/**
 * A row of the log with every column as text, so that nothing is lost on the way: numbers have all their digits. null is NULL.
 */
export interface ExactRow {
  readonly id: string
  /** With six digits of a second, in UTC: `2026-01-02T03:04:05.123456Z`. */
  readonly timestamp: string
  readonly action: string
  readonly actor_id: string
  readonly actor_type: string
  readonly actor_email: string | null
  readonly resource_type: string
  readonly resource_id: string | null
  readonly outcome: string
  readonly reason: string | null
  /** JSON, word for word as PostgreSQL prints it. */
  readonly details: string | null
  readonly request_id: string | null
  readonly ip: string | null
  readonly user_agent: string | null
  readonly organization_id: string | null
  readonly seq: string
  readonly transaction_id: string
}
