import { setImmediate as nextTurn } from 'node:timers/promises'
import pRetry from 'p-retry'
import type { AuditError } from '../errors.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import type { WrittenRow } from './entry.ts'
import { type NewEntry, rowTextOf, writeRows } from './insert.ts'
import { UnwrittenEntries } from './unwritten.ts'
import { canPass, concernsEveryEntry, refusedEntry } from './write-error.ts'

/** A waiting entry, as JSON: its size is known. */
interface QueuedRow {
  readonly text: string
  /** When it was queued, on the clock of `performance.now()`. */
  readonly since: number
}

/** How much the queue holds and how long it tries, in characters of JSON and milliseconds. */
const limits = {
  entries: 10_000,
  characters: 32 * 1024 * 1024,
  batchEntries: 1_000,
  batchCharacters: 4 * 1024 * 1024,
  /** How long to try an entry, from when it was queued. */
  retry: 60_000,
  firstPause: 100,
  longestPause: 5_000,
  /** How long one try waits for an answer: a server that vanished sends none. */
  answer: 20_000,
}

export type QueueLimits = typeof limits

/**
 * Writes entries later, in order and in batches: while one is being written, the next one gathers. Holds a bounded
 * number of entries; when it is full, callers wait.
 */
export class EntryQueue {
  readonly #table: TableName
  readonly #connection: SqlClient
  readonly #unwritten: UnwrittenEntries
  readonly #limits: QueueLimits
  /** Taken, but not in a batch yet. */
  #rows: QueuedRow[] = []
  /** Taken, but neither written nor given up: in `#rows` or in the current batch. */
  #held = { entries: 0, characters: 0 }
  #taken = 0
  #settled = 0
  /** Callers that wait for room form a line, so entries keep their order. */
  #line: Promise<void> = Promise.resolve()
  #progress = signal()
  #isWriting = false
  /** Ends when a flush has waited too long, and begins anew when the queue is empty. */
  #patience = new AbortController()

  constructor(
    table: TableName,
    connection: SqlClient,
    onError: ((error: AuditError) => void) | undefined,
    changedLimits: Partial<QueueLimits> = {},
  ) {
    this.#table = table
    this.#connection = connection
    this.#unwritten = new UnwrittenEntries(onError)
    this.#limits = { ...limits, ...changedLimits }
  }

  /** Resolves when the queue has taken the entries; waits while it is full. */
  async add(...entries: NewEntry[]): Promise<void> {
    const since = performance.now()
    const rows = entries.map((entry) => ({ text: rowTextOf(entry), since }))
    const taken = this.#line.then(() => this.#take(rows))
    this.#line = taken
    await taken
  }

  /**
   * Resolves when every entry added before is written, or was passed to `onError`.
   *
   * @param time how many milliseconds to wait; then all that is in the queue is given up
   * @throws AuditError `AUDIT_NOT_WRITTEN` with the entries that could not be written and that no `onError` took
   */
  async flush(time = Number.POSITIVE_INFINITY): Promise<void> {
    const giveUp = () =>
      this.#patience.abort(new Error(`The database did not take the entries in ${time} ms`))
    const timer = Number.isFinite(time) ? setTimeout(giveUp, time) : undefined
    try {
      await this.#line
      const target = this.#taken
      while (this.#settled < target) await this.#progress.happened
    } finally {
      clearTimeout(timer)
    }
    this.#unwritten.throwIfAny()
  }

  async #take(rows: readonly QueuedRow[]): Promise<void> {
    for (const row of rows) {
      while (!this.#hasRoomFor(row)) await this.#progress.happened
      this.#rows.push(row)
      this.#held.entries += 1
      this.#held.characters += row.text.length
      this.#taken += 1
      if (!this.#isWriting) void this.#writeAll()
    }
  }

  /** An entry larger than the whole queue fits when it is alone. */
  #hasRoomFor({ text }: QueuedRow): boolean {
    const { entries, characters } = this.#held
    if (entries === 0) return true
    return entries < this.#limits.entries && characters + text.length <= this.#limits.characters
  }

  /** Never rejects. Its timers and sockets keep the process alive until everything is written. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true
    await nextTurn() // entries queued in one turn of the event loop go together
    while (this.#rows.length > 0) {
      const batch = this.#nextBatch()
      await this.#write(batch)
      this.#held.entries -= batch.length
      for (const { text } of batch) this.#held.characters -= text.length
      this.#settled += batch.length
      this.#progress.happen()
      this.#progress = signal()
    }
    this.#isWriting = false
    if (this.#patience.signal.aborted) this.#patience = new AbortController()
  }

  #nextBatch(): QueuedRow[] {
    let characters = 0
    const end = this.#rows.findIndex(({ text }, index) => {
      characters += text.length
      return index > 0 && (index === this.#limits.batchEntries || characters > this.#limits.batchCharacters)
    })
    return this.#rows.splice(0, end === -1 ? this.#rows.length : end)
  }

  /** A batch that the database refuses because of one entry is tried in halves, until that entry is alone. */
  async #write(batch: readonly QueuedRow[]): Promise<void> {
    try {
      await this.#insert(batch)
    } catch (error) {
      if (batch.length > 1 && !canPass(error) && !concernsEveryEntry(error)) {
        const middle = Math.ceil(batch.length / 2)
        await this.#write(batch.slice(0, middle))
        await this.#write(batch.slice(middle))
        return
      }
      for (const { text } of batch) {
        this.#unwritten.report(refusedEntry(error, JSON.parse(text) as WrittenRow))
      }
    }
  }

  async #insert(batch: readonly QueuedRow[]): Promise<void> {
    const youngest = batch.at(-1)?.since ?? 0
    const texts = batch.map(({ text }) => text)
    await pRetry(() => this.#withAnswer(writeRows(this.#table, this.#connection, texts)), {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: this.#limits.firstPause,
      maxTimeout: this.#limits.longestPause,
      randomize: true,
      maxRetryTime: Math.max(0, youngest + this.#limits.retry - performance.now()),
      shouldRetry: ({ error }) => canPass(error),
      signal: this.#patience.signal,
    })
  }

  /** A late answer does no harm: the ids are known, so a second statement adds nothing. */
  async #withAnswer(statement: Promise<void>): Promise<void> {
    const { answer } = this.#limits
    const { signal } = this.#patience
    let timer: NodeJS.Timeout | undefined
    let stop = () => {}
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`The database gave no answer in ${answer} ms`)), answer)
      stop = () => reject(signal.reason)
    })
    signal.addEventListener('abort', stop)
    try {
      await Promise.race([statement, late])
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
  }
}

interface Signal {
  readonly happened: Promise<void>
  readonly happen: () => void
}

function signal(): Signal {
  let happen = () => {}
  const happened = new Promise<void>((resolve) => {
    happen = resolve
  })
  return { happened, happen }
}
