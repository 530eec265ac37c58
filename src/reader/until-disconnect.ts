import { runOutsideScope } from '../capture/scope.ts'
import { outsideAuditContext } from '../context/context.ts'
import type { Log } from '../log/log.ts'

/** What goes on until it is stopped. */
interface Work {
  stop(): Promise<void>
  readonly stopped: Promise<void>
}

/** Begins work that outlives the call which begins it, outside of every context. The client ends it when it disconnects. */
export async function beginUntilDisconnect<Begun extends Work>(
  { endings }: Pick<Log, 'endings'>,
  begin: () => Promise<Begun>,
): Promise<Begun> {
  const work = await outsideAuditContext(() => runOutsideScope(begin))
  const stop = () => work.stop()
  endings.add(stop)
  void work.stopped.then(() => endings.delete(stop))
  return work
}
