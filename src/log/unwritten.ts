import { AuditError } from '../errors.ts'

/** How many errors are kept for `flush()`; beyond them only the number is known. */
const kept = 1_000

/**
 * Queued entries that could not be written. Each goes to `onError`; where there is none, or it throws, it is kept for
 * the next `flush()`, and if nobody flushes, the process does not end as if all were well.
 */
export class UnwrittenEntries {
  readonly #onError: ((error: AuditError) => void) | undefined
  #errors: unknown[] = []
  #count = 0

  constructor(onError: ((error: AuditError) => void) | undefined) {
    this.#onError = onError
  }

  /** Never throws. */
  report(error: AuditError): void {
    try {
      if (this.#onError) this.#onError(error)
      else this.#keep(error)
    } catch (thrown) {
      this.#keep(error, thrown)
    }
  }

  /** @throws AuditError `AUDIT_NOT_WRITTEN` when there are entries that nobody was told of; once */
  throwIfAny(): void {
    if (this.#count === 0) return
    const [count, errors] = [this.#count, this.#errors]
    this.#count = 0
    this.#errors = []
    process.removeListener('beforeExit', this.#atEnd)
    throw new AuditError(
      'AUDIT_NOT_WRITTEN',
      `${count} queued ${count === 1 ? 'entry' : 'entries'} could not be written, and no option onError took ${count === 1 ? 'it' : 'them'}. cause.errors has ${count > kept ? `the first ${kept}` : 'each'} with its entry. Set onError to keep such entries elsewhere.`,
      { cause: new AggregateError(errors, 'Entries that could not be written') },
    )
  }

  #keep(error: AuditError, thrown?: unknown): void {
    if (this.#count === 0) process.once('beforeExit', this.#atEnd)
    this.#count += 1
    if (this.#count > kept) return
    this.#errors.push(error)
    if (thrown !== undefined) this.#errors.push(thrown)
  }

  /** The process ends by itself with entries missing: it ends as with an error that nobody caught. */
  readonly #atEnd = () => this.throwIfAny()
}
