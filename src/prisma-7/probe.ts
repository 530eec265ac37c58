import { type CaptureScope, type ProbeScope, runInScope } from '../capture/scope.ts'
import { AuditError } from '../errors.ts'
import type { AdapterLike } from '../postgres/connection.ts'
import { baseClient, type ClientInternals } from './internals.ts'

/** Finds out whether a client's statements pass through the tap, by a single query that the tap answers itself. */
export class TapProbe {
  readonly #client: ClientInternals
  #asking: Promise<AdapterLike> | undefined
  /** The statements are known to pass through the tap. */
  isConfirmed = false

  constructor(client: ClientInternals) {
    this.#client = baseClient(client)
  }

  /**
   * @returns the adapter that the statements go to
   * @throws AuditError `AUDIT_NOT_INTERCEPTED` when they do not pass through the tap; the next call asks again
   */
  confirm(): Promise<AdapterLike> {
    this.#asking ??= this.#ask().catch((error: unknown) => {
      this.#asking = undefined
      throw error
    })
    return this.#asking
  }

  /** Sends a statement through the tap, which checks the database. */
  async verify(scope: CaptureScope): Promise<void> {
    await this.confirm()
    const verifying: CaptureScope = { ...scope, verifies: true }
    await runInScope(verifying, () => this.#query()).catch((error: unknown) => {
      throw verifying.error ?? error
    })
  }

  async #ask(): Promise<AdapterLike> {
    const scope: ProbeScope = { kind: 'probe', answer: undefined }
    await runInScope(scope, () => this.#query())
    if (scope.answer) {
      this.isConfirmed = true
      return scope.answer
    }
    throw new AuditError(
      'AUDIT_NOT_INTERCEPTED',
      "The client had connected before it was wrapped, so its statements don't pass through the audit. Nothing was written. Call withAudit right after new PrismaClient, before the first query and before $connect().",
    )
  }

  async #query(): Promise<void> {
    await this.#client.$queryRawUnsafe('SELECT 1')
  }
}
