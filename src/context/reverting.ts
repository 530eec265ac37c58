import { AsyncLocalStorage } from 'node:async_hooks'
import { onePerVersion } from '../one-per-process.ts'

const reverts = onePerVersion('reverts', () => new AsyncLocalStorage<string>())

/** Runs `work`; its entries say that they undo the entry with this id. Not exported to users. */
export function whileReverting<T>(entryId: string, work: () => Promise<T>): Promise<T> {
  return reverts.run(entryId, work)
}

/** The entry that the running code undoes, if any. */
export function revertedEntry(): string | undefined {
  return reverts.getStore()
}
