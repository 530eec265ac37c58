import { AuditError } from '../errors.ts'

/** How many errors are kept for `flush()`; the rest are only counted. */
const kept = 1_000

/**
 * Queued entries that could not be written. Each is passed to `onError`. Without one, or if it throws, the entry is
 * kept for the next `flush()`. If nobody flushes, the process ends with an error.
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

  /** @throws AuditError `AUDIT_NOT_WRITTEN` once, when there are entries that nobody was told about */
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

  /** When the process ends by itself with entries missing, it ends as after an uncaught error. */
  readonly #atEnd = () => this.throwIfAny()
}
