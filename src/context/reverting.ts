import { AsyncLocalStorage } from 'node:async_hooks'

const reverts = new AsyncLocalStorage<string>()

/** Runs `work`, whose entries say that they undo the entry of this id. Users can't: it is not exported to them. */
export function whileReverting<T>(entryId: string, work: () => Promise<T>): Promise<T> {
  return reverts.run(entryId, work)
}

/** The entry that the running code undoes, if it undoes one. */
export function revertedEntry(): string | undefined {
  return reverts.getStore()
}
