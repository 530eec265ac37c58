/** The log's work alongside the calls that it is about. A flush waits for it even if the calls don't. */
export class Background {
  readonly #running = new Set<Promise<void>>()

  /**
   * @param work handles its own errors
   * @returns when it is done
   */
  run(work: () => Promise<void>): Promise<void> {
    const running = work().finally(() => this.#running.delete(running))
    this.#running.add(running)
    return running
  }

  /** Resolves when all work is done, including work started meanwhile, or after this many milliseconds. */
  async settled(time: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), time)
    })
    while (this.#running.size > 0) {
      if ((await Promise.race([Promise.all(this.#running), late])) === 'late') break
    }
    clearTimeout(timer)
  }
}
