import type { ArchiveReading } from '../sink.ts'
import type { ListedKey, S3Reader } from './s3-reader.ts'

/**
 * The objects under a prefix, listed beside manifests that name them. Both are in nearly the same order, so only what lies between the
 * two is in memory.
 */
export class ListedObjects {
  readonly #keys: AsyncGenerator<ListedKey>
  readonly #prefix: string
  /** Listed, and not named so far. */
  readonly #unnamed = new Map<string, ListedKey>()
  #next: ListedKey | undefined
  #taking = Promise.resolve()

  constructor(reader: S3Reader, prefix: string) {
    this.#prefix = prefix
    this.#keys = reader.list(`${prefix}entries/`)
  }

  /** What is listed under a key that a manifest names. @returns undefined where it is not, or was taken before */
  take(key: string): Promise<ListedKey | undefined> {
    const taken = this.#taking.then(() => this.#take(key))
    this.#taking = taken.then(
      () => {},
      () => {},
    )
    return taken
  }

  async #take(key: string): Promise<ListedKey | undefined> {
    let next = await this.#peek()
    while (next && next.key <= key) {
      if (next.versions.length > 0) this.#unnamed.set(next.key, next)
      this.#next = undefined
      next = await this.#peek()
    }
    const found = this.#unnamed.get(key)
    this.#unnamed.delete(key)
    return found
  }

  /** What no manifest names: unless it belongs to a batch at hand, whose manifest is still to come. */
  async reportUnnamed({ acknowledged, begun, fault }: ArchiveReading): Promise<void> {
    let latest: bigint | undefined
    const report = async ({ key }: ListedKey) => {
      const number = this.#numberOf(key)
      if (number !== undefined && number > acknowledged.batches) {
        latest ??= await begun()
        if (number <= latest) return
      }
      fault('extra', key, `${key} is named by no manifest.`)
    }
    for (const listed of this.#unnamed.values()) await report(listed)
    for (let next = await this.#peek(); next; next = await this.#peek()) {
      this.#next = undefined
      if (next.versions.length > 0) await report(next)
    }
  }

  #numberOf(key: string): bigint | undefined {
    const name = key.slice(`${this.#prefix}entries/`.length)
    const [, number] = /^\d{4}\/\d\d\/\d\d\/(\d{12,})-\d{8}T\d{6}Z-[\da-f]{12}\.ndjson\.gz$/.exec(name) ?? []
    return number === undefined ? undefined : BigInt(number)
  }

  async #peek(): Promise<ListedKey | undefined> {
    if (!this.#next) {
      const { value, done } = await this.#keys.next()
      this.#next = done ? undefined : value
    }
    return this.#next
  }
}
