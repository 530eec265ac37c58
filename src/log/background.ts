/** Work of the log that no call waits for, until somebody flushes. */
export class Background {
  readonly #running = new Set<Promise<void>>()

  /** @param work handles its own errors */
  run(work: () => Promise<void>): void {
    const running = work().finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Resolves when all work is done, also what is begun meanwhile. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
