import { type CaptureScope, type ProbeScope, runInScope } from '../capture/scope.ts'
import { AuditError } from '../errors.ts'
import type { AdapterLike } from '../postgres/connection.ts'
import { baseClient, type ClientInternals } from './internals.ts'

/** Whether the client's statements pass through the tap: asked once, with a query that the tap answers itself. */
export class Interception {
  readonly #client: ClientInternals
  #check: Promise<AdapterLike> | undefined
  /** The question was answered, and well. */
  isSure = false

  constructor(client: ClientInternals) {
    this.#client = baseClient(client)
  }

  /** @returns the adapter that the statements go to */
  ensure(): Promise<AdapterLike> {
    this.#check ??= this.#probe().catch((error: unknown) => {
      this.#check = undefined
      throw error
    })
    return this.#check
  }

  /** Sends a statement through the tap, which checks the database. */
  async verify(scope: CaptureScope): Promise<void> {
    await this.ensure()
    await runInScope(scope, async () => await this.#client.$queryRawUnsafe('SELECT 1')).catch(
      (error: unknown) => {
        throw scope.error ?? error
      },
    )
  }

  async #probe(): Promise<AdapterLike> {
    const probe: ProbeScope = { kind: 'probe', answer: undefined }
    await runInScope(probe, async () => await this.#client.$queryRawUnsafe('SELECT 1'))
    if (probe.answer) {
      this.isSure = true
      return probe.answer
    }
    throw new AuditError(
      'AUDIT_NOT_INTERCEPTED',
      "The client had connected before it was wrapped, so its statements don't pass through the audit. Nothing was written. Call withAudit right after new PrismaClient, before the first query and before $connect().",
    )
  }
}
