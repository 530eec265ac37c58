import assert from 'node:assert/strict'
import { rowLine, rowLines } from '../log/ndjson.ts'
import type { ExactRow, Sink, SinkBatch } from '../sink.ts'

/** A sink under test, and its place. */
export interface SinkUnderTest {
  /** Makes the sink, on the same place each time: the second time as a process that was started anew does. */
  create(): Sink | Promise<Sink>
  /**
   * What a reader of the place finds, in the order in which it was stored. Doubles are left out as the sink's readers do that. A
   * column that the sink does not store is left out.
   */
  read(): Promise<(Partial<ExactRow> & Pick<ExactRow, 'id'>)[]>
}

/** One rule of the contract. */
export interface SinkRule {
  readonly name: string
  /** Rejects where the sink breaks the rule. */
  readonly check: () => Promise<void>
}

/**
 * The rules that every sink keeps, as tests for whatever runs your tests. They need no database.
 *
 * @param prepare gives each rule a sink whose place is empty
 *
 * @example
 * ```ts
 * for (const { name, check } of sinkContract(() => ({ create: () => mySink(options), read: () => readBack(options) }))) {
 *   it(name, check)
 * }
 * ```
 */
export function sinkContract(prepare: () => SinkUnderTest | Promise<SinkUnderTest>): SinkRule[] {
  const rule = (name: string, work: (run: Run) => Promise<void>): SinkRule => ({
    name,
    check: async () => work(new Run(await prepare())),
  })
  return [
    rule('stores what write has returned from, in order and exactly', async (run) => {
      await run.write(strangeRows())
      await run.write(someRows(3))
      await run.isStored()
    }),
    rule('goes on with what it returned, in another process', async (run) => {
      await run.write(someRows(2))
      await run.restart()
      await run.write(someRows(2))
      await run.isStored()
    }),
    rule('stores a batch once that comes again after it was stored', async (run) => {
      await run.write(someRows(2))
      const batch = await run.writeWithoutAcknowledgement(someRows(3))
      await run.writeAgain(batch)
      await run.write(someRows(1))
      await run.isStored()
    }),
    rule('stores a batch once that comes again, in another process', async (run) => {
      const batch = await run.writeWithoutAcknowledgement(someRows(3))
      await run.restart()
      await run.writeAgain(batch)
      await run.write(someRows(1))
      await run.isStored()
    }),
    rule('takes nothing back when a batch comes again after later ones', async (run) => {
      const late = await run.write(someRows(2))
      await run.write(someRows(2))
      await run.restart()
      await run.tryAgain(late)
      await run.write(someRows(1))
      await run.isStored()
    }),
    rule('gives up once the signal is aborted, and stores the batch when it comes again', async (run) => {
      const batch = await run.writeAborted(someRows(2))
      await run.restart()
      await run.writeAgain(batch)
      await run.write(someRows(1))
      await run.isStored()
    }),
    rule('goes on in a new era, and with large batches', async (run) => {
      await run.write(someRows(2))
      run.beginEra()
      await run.write(someRows(1_000))
      await run.isStored()
    }),
    rule('gives back what it has stored, where it has an archive', async (run) => {
      await run.write(someRows(2))
      await run.write(strangeRows())
      await run.restart()
      await run.write(someRows(1_000))
      await run.isGivenBack()
    }),
  ]
}

/** Plays the part of the shipper. */
class Run {
  readonly #under: SinkUnderTest
  readonly #stored: ExactRow[] = []
  #sink: Promise<Sink> | undefined
  #number = 0n
  #era = 1
  #until = '1.0.0'
  #state: unknown = null

  constructor(under: SinkUnderTest) {
    this.#under = under
  }

  beginEra(): void {
    this.#era++
  }

  /** Leaves the sink as a process that is killed does. */
  async restart(): Promise<void> {
    this.#sink = undefined
  }

  async write(entries: readonly ExactRow[]): Promise<SinkBatch> {
    const batch = this.#next(entries)
    await this.#acknowledge(batch)
    return batch
  }

  async writeWithoutAcknowledgement(entries: readonly ExactRow[]): Promise<SinkBatch> {
    const batch = this.#next(entries)
    await (await this.#open()).write(batch)
    return batch
  }

  async writeAborted(entries: readonly ExactRow[]): Promise<SinkBatch> {
    const batch = this.#next(entries)
    const sink = await this.#open()
    await assert.rejects(async () => sink.write({ ...batch, signal: AbortSignal.abort() }))
    return batch
  }

  writeAgain(batch: SinkBatch): Promise<void> {
    return this.#acknowledge(batch)
  }

  /** As a process that was suspended: whatever comes of it, nobody waits for it. */
  async tryAgain(batch: SinkBatch): Promise<void> {
    await (await this.#open()).write(batch).catch(() => {})
  }

  async isStored(): Promise<void> {
    const found = await this.#under.read()
    const wanted = this.#stored.map((row, index) => {
      const columns = Object.keys(found[index] ?? row) as (keyof ExactRow)[]
      return Object.fromEntries(columns.map((column) => [column, row[column]]))
    })
    assert.deepEqual(found, wanted)
  }

  async isGivenBack(): Promise<void> {
    const { archive } = await this.#open()
    if (!archive) return
    const faults: string[] = []
    const parts = archive.read({
      acknowledged: { batches: this.#number, state: this.#state },
      era: this.#eraNow(),
      begun: async () => this.#number,
      fault: (_kind, _place, message) => faults.push(message),
      note: () => {},
      signal: new AbortController().signal,
    })
    const lines: string[] = []
    for await (const part of parts) for await (const line of part.lines) lines.push(`${line}\n`)
    assert.deepEqual(faults, [])
    assert.deepEqual(lines, this.#stored.map(rowLine))
  }

  async #acknowledge(batch: SinkBatch): Promise<void> {
    const state = await (await this.#open()).write(batch)
    if (state !== undefined) this.#state = JSON.parse(JSON.stringify(state))
    this.#stored.push(...batch.entries)
  }

  #open(): Promise<Sink> {
    this.#sink ??= this.#create()
    return this.#sink
  }

  async #create(): Promise<Sink> {
    const sink = await this.#under.create()
    await sink.open?.(new AbortController().signal)
    return sink
  }

  #next(entries: readonly ExactRow[]): SinkBatch {
    const last = entries.at(-1)
    const [from, until] = [this.#until, `${this.#era}.${last?.transaction_id}.${last?.seq}`]
    this.#number++
    this.#until = until
    return {
      ...{ entries, lines: rowLines(entries), number: this.#number, from, until, state: this.#state },
      ...{ log: 'public.audit_logs', era: this.#eraNow() },
      signal: new AbortController().signal,
    }
  }

  #eraNow(): SinkBatch['era'] {
    const id = `01890000-0000-4000-8000-00000000000${this.#era}`
    return { number: this.#era, id, beganAt: '2026-01-01T00:00:00.000Z' }
  }
}

let seq = 0

function someRows(count: number): ExactRow[] {
  return Array.from({ length: count }, () => row())
}

function row(columns: Partial<ExactRow> = {}): ExactRow {
  seq++
  return {
    id: `01890000-0000-7000-8000-${String(seq).padStart(12, '0')}`,
    timestamp: new Date(Date.now() + seq).toISOString().replace('Z', '001Z'),
    ...{ action: 'order.update', actor_id: 'ada', actor_type: 'user', actor_email: null },
    ...{ resource_type: 'order', resource_id: String(seq), outcome: 'success', reason: null },
    details: '{"after": {"total": "12.50"}, "before": null}',
    ...{ request_id: null, ip: null, user_agent: null, organization_id: null },
    ...{ seq: String(seq), transaction_id: String(700 + Math.floor(seq / 2)) },
    ...columns,
  }
}

/** Where texts are taken apart and put together, these come out different. */
function strangeRows(): ExactRow[] {
  return [
    row({ details: null }),
    row({ details: '{"n": 12345678901234567890.10, "text": "a\\nb\\u0001 \\",\\"details\\": }"}' }),
    row({ reason: 'two\nlines,"details":{"\u2028 and 😀', actor_id: "o'brien \\ \u0007" }),
    row({ actor_email: 'ada@example.com', request_id: '', ip: '2001:db8::1', user_agent: 'x'.repeat(5_000) }),
    row({ organization_id: 'ACME', details: `{"text": ${JSON.stringify('ä'.repeat(100_000))}}` }),
    row({ seq: '9223372036854775807', transaction_id: '9223372036854775806' }),
  ]
}
