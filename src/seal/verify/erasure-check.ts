import { erasing, erasureIn } from '../erased-entry.ts'
import { isErasedSalt } from '../leaf.ts'
import { sealedPlace } from '../stored-checkpoint.ts'
import { entryChanged, entryReordered } from './entry-findings.ts'
import { Erasures } from './erasures.ts'
import type { OnFinding } from './finding.ts'
import type { ChangedRow } from './match-rows.ts'
import { type RowValues, readRowsBehind, textIn } from './rows-between.ts'
import type { SealedLog } from './sealed-log.ts'
import { checkPlaces } from './wrong-places.ts'

/** Checks entries that were erased since they were sealed, and what the entries `auditLog.erase` tell of them. */
export class ErasureCheck {
  readonly #log: SealedLog
  readonly #onFinding: OnFinding
  readonly #erasures: Erasures
  /** Entries `auditLog.erase` of the part at hand. */
  #telling: RowValues[] = []
  #erased = 0
  #unerased = 0

  constructor(log: SealedLog, onFinding: OnFinding) {
    this.#log = log
    this.#onFinding = onFinding
    this.#erasures = new Erasures(log, log.position, sealedPlace(log.head))
  }

  /** How many entries are what their erasure has left of them. */
  get erased(): number {
    return this.#erased
  }

  /** Of these, how many have their values still in the archive, which was written before the erasure. */
  get unerased(): number {
    return this.#unerased
  }

  /** Keeps a row that tells of erasures, until {@link checkTelling}. */
  see(row: RowValues): void {
    if (textIn(row, 'action') === erasing) this.#telling.push(row)
  }

  /** A row that says that it was erased has to be what its erasure has left, and its salt is gone. */
  async checkErased({ row, leaf }: ChangedRow): Promise<void> {
    if (!(await this.#erasures.tellOf(row))) {
      const finding = entryChanged(row, leaf)
      const telling = await this.#erasures.disbelievedOf(row)
      if (telling !== undefined) this.#onFinding({ ...finding, message: disbelieved(row, telling) })
      else if (await this.#erasures.mayBeToldInArchive(row))
        this.#onFinding({ ...finding, message: needingArchive(row) })
      else this.#onFinding(finding)
    } else if (!isErasedSalt(leaf.salt)) {
      const finding = entryChanged(row, leaf)
      const message = `Entry ${finding.entry?.id} was erased, and the salt of its seal was not: erase it once more`
      this.#onFinding({ ...finding, message })
    } else {
      this.#erased++
      checkPlaces(row, leaf, this.#log.position, this.#onFinding)
    }
  }

  /** A row that says that it was erased, and stands in another place than it was sealed in. */
  async checkMoved(moved: ChangedRow): Promise<void> {
    const isAsErased = isErasedSalt(moved.leaf.salt) && (await this.#erasures.tellOf(moved.row))
    if (!isAsErased) return this.checkErased(moved)
    this.#erased++
    this.#onFinding(entryReordered(moved.row, moved.leaf))
  }

  /** A row of the archive that is not what was sealed: it was erased before it was archived, or has been in the log since. */
  async checkArchived(rows: readonly ChangedRow[]): Promise<void> {
    const older: ChangedRow[] = []
    for (const changed of rows) {
      const isAsErased = await this.#erasures.tellOf(changed.row)
      if (isAsErased || !isErasedSalt(changed.leaf.salt)) await this.checkErased(changed)
      else older.push(changed)
    }
    if (older.length === 0) return
    const idOf = ({ row }: ChangedRow) => textIn(row, 'id') ?? ''
    const told = await this.#erasures.tellOfAny(older.map(idOf))
    for (const changed of older) {
      if (!told.has(idOf(changed))) {
        this.#onFinding(entryChanged(changed.row, changed.leaf))
        continue
      }
      this.#erased++
      this.#unerased++
      checkPlaces(changed.row, changed.leaf, this.#log.position, this.#onFinding)
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

function disbelieved(row: RowValues, telling: string): string {
  return `Entry ${textIn(row, 'id')} was erased, as the entry ${telling} tells, and that one is itself not what was sealed where it stands: nothing proves the erasure`
}

function needingArchive(row: RowValues): string {
  const erasure = erasureIn(textIn(row, 'details'))
  return `Entry ${textIn(row, 'id')} was erased, and the entry ${erasure} that tells of it is not in the table: months have left it. Verify with the archive, the option retention of audit.config.ts`
}
