import { sealedPlace } from '../stored-checkpoint.ts'
import { entryChanged } from './entry-findings.ts'
import { Erasures } from './erasures.ts'
import type { OnFinding } from './finding.ts'
import type { ChangedRow } from './match-rows.ts'
import { type RowValues, readRowsBehind, textIn } from './rows-between.ts'
import type { SealedLog } from './sealed-log.ts'

const erasing = 'auditLog.erase'

/** Checks entries that were erased since they were sealed, and what the entries `auditLog.erase` tell of them. */
export class ErasureCheck {
  readonly #log: SealedLog
  readonly #onFinding: OnFinding
  readonly #erasures: Erasures
  /** Entries `auditLog.erase` of the part at hand. */
  #telling: RowValues[] = []
  #erased = 0

  constructor(log: SealedLog, onFinding: OnFinding) {
    this.#log = log
    this.#onFinding = onFinding
    this.#erasures = new Erasures(log, log.position, sealedPlace(log.head))
  }

  /** How many entries are what their erasure has left of them. */
  get erased(): number {
    return this.#erased
  }

  /** Keeps a row that tells of erasures, until {@link checkTelling}. */
  see(row: RowValues): void {
    if (textIn(row, 'action') === erasing) this.#telling.push(row)
  }

  /** A row that says that it was erased has to be what its erasure has left, and its salt is gone. */
  async checkErased({ row, leaf }: ChangedRow): Promise<void> {
    if (!(await this.#erasures.tellOf(row))) {
      this.#onFinding(entryChanged(row, leaf))
    } else if (leaf.salt.some((byte) => byte !== 0)) {
      const finding = entryChanged(row, leaf)
      const message = `Entry ${finding.entry?.id} was erased, and the salt of its seal was not: erase it once more`
      this.#onFinding({ ...finding, message })
    } else {
      this.#erased++
    }
  }

  /** What tells of erasures has to fit all that it tells of. */
  async checkTelling(): Promise<void> {
    for (const row of this.#telling) await this.#erasures.check(row, this.#onFinding)
    this.#telling = []
  }

  /** Erasures that are not sealed yet tell of entries that are. */
  async checkUnsealed(): Promise<void> {
    const { position, head } = this.#log
    if (!head) return
    for await (const rows of readRowsBehind(this.#log, position, head.place, erasing)) {
      for (const row of rows) await this.#erasures.check(row, this.#onFinding)
    }
  }
}
