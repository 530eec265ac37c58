import type { ExactRow } from './sink.ts'

/** A file in an archive, as the store confirmed it. */
export interface ArchiveObject {
  readonly key: string
  /** Null where the store keeps no versions. */
  readonly versionId: string | null
  /** Hexadecimal. */
  readonly sha256: string
  readonly bytes: number
  /** How long nobody can delete it; null where somebody can. */
  readonly retention: { readonly mode: string; readonly until: string } | null
}

/** A file to store. */
export interface NewArchiveObject {
  readonly key: string
  readonly body: Buffer
  readonly type: string
}

/**
 * Where months of the log are kept that leave the database, as Parquet, and the engine that writes and reads it there. Made by
 * `archiveFolder` of `prisma-extension-audit/archive` or `archiveS3` of `prisma-extension-audit/archive-s3`.
 */
export interface MonthArchive {
  /** A URL of the folder or bucket: what entries and messages say. */
  readonly location: string
  /** @throws AuditError where nothing can be stored, or what is stored could be deleted and must not be */
  check(signal: AbortSignal): Promise<void>
  /**
   * Stores a file durably. What is there under its key stays if it is the same; else it is replaced: callers only do so before
   * anybody relies on it.
   */
  put(object: NewArchiveObject, signal: AbortSignal): Promise<ArchiveObject>
  /**
   * A file on this machine that has the object's bytes.
   *
   * @param from `store` reads it from the store once more, whatever this machine still has of it
   * @throws AuditError `AUDIT_ARCHIVE_BROKEN` where the object is gone or has other bytes
   */
  fetch(object: ArchiveObject, from: 'store' | 'anywhere', signal: AbortSignal): Promise<string>
  /**
   * The keys of what the store has in a folder and those below it, in order.
   *
   * @param folder without a slash at its end
   */
  list(folder: string, signal: AbortSignal): Promise<readonly string[]>
  /**
   * Removes a file that nobody relies on.
   *
   * @returns false where the store keeps it, or the role may not remove it
   */
  remove(key: string, signal: AbortSignal): Promise<boolean>
  /** Loads the engine; the first time it is needed, not before. */
  engine(): Promise<ParquetEngine>
}

/** Writes and reads Parquet files of entries. */
export interface ParquetEngine {
  /**
   * Writes rows to files, each sorted by resource and time.
   *
   * @param lines the canonical forms of rows, a JSON array each, in any order
   * @param directory where files are made, and what does not fit in memory is kept meanwhile
   */
  write(lines: AsyncIterable<readonly string[]>, directory: string): Promise<readonly ParquetFile[]>
  /** All rows of files in the order of (transaction id, seq), a part of them at a time. */
  rows(paths: readonly string[]): AsyncIterable<readonly ExactRow[]>
  /** Rows that meet conditions, in order. */
  find(paths: readonly string[], question: ArchiveQuestion): Promise<readonly FoundRow[]>
  /** How many rows meet conditions, without those that are there as an erasure has left them. */
  countUnerased(paths: readonly string[], question: UnerasedQuestion): Promise<number>
}

/** A file that was written, and what is in it. */
export interface ParquetFile {
  readonly path: string
  /** UTC, `2024-03`; files of times that have no such month are under `other`. */
  readonly month: string
  readonly entries: number
  readonly seq: { readonly lowest: string; readonly highest: string }
  /** Microseconds since 1970. */
  readonly time: { readonly earliest: string; readonly latest: string }
}

/** Which rows of an archive. */
export interface ArchiveQuestion {
  readonly conditions: EntryConditions
  readonly order: 'newest' | 'oldest'
  /** Only those behind this place, in that order. */
  readonly after?: EntryPlace | undefined
  /** Only those before or at this place, in that order. */
  readonly until?: EntryPlace | undefined
  readonly count?: number | undefined
  /** Only those with one of these numbers. */
  readonly seqs?: readonly bigint[] | undefined
  /** Only those with one of these ids. */
  readonly ids?: readonly string[] | undefined
}

/** Which rows of an archive to count. */
export type UnerasedQuestion = Pick<ArchiveQuestion, 'conditions' | 'ids'>

/** A place in the order (timestamp, seq). */
export interface EntryPlace {
  /** Since 1970, as the table has them. A JavaScript date would lose three digits. */
  readonly microseconds: bigint
  readonly seq: bigint
}

/** A row of an archive. */
export interface FoundRow {
  readonly row: ExactRow
  readonly place: EntryPlace
  /** The path of its file. */
  readonly path: string
}

/**
 * Which entries, by the columns of the log: those that meet all conditions given. Cursors hold its JSON, so its keys
 * always have the same order.
 */
export interface EntryConditions {
  /** Patterns where `*` matches any characters; an entry matches at least one. */
  readonly actions?: readonly string[] | undefined
  readonly actorId?: string | undefined
  readonly actorType?: string | undefined
  readonly actorEmail?: string | undefined
  readonly resourceType?: string | undefined
  readonly resourceId?: string | undefined
  readonly outcome?: string | undefined
  /** Updates that changed one of these fields. */
  readonly changed?: readonly string[] | undefined
  readonly requestId?: string | undefined
  readonly organizationId?: string | undefined
  readonly transactionId?: string | undefined
  /** Part of the text of an entry, in any column, regardless of case. */
  readonly text?: string | undefined
  /** ISO 8601, inclusive. */
  readonly from?: string | undefined
  /** ISO 8601, exclusive. */
  readonly to?: string | undefined
  /** What an entry has to meet besides. */
  readonly within?: EntryConditions | undefined
}
