import { once } from 'node:events'
import { withAudit } from 'prisma-extension-audit'
import { logConnection, withConnection, withWritingConnection } from '../src/cli/connection.ts'
import { sealOnce } from '../src/cli/seal.ts'
import { readerLog } from '../src/reader/reader-log.ts'
import { sealOn } from '../src/seal/sealing.ts'
import { openSigner } from '../src/seal/signer.ts'
import { verifyLog } from '../src/seal/verify/verify-log.ts'
import { sealSchema } from '../src/seal-schema.ts'
import { ordinaryAdapter } from './clients.ts'
import { PrismaClient } from './generated/client/client.ts'
import { watchMemory } from './highest-memory.ts'

/** What the process does: each as the command, or the helper, of that name does it. */
export type SealWork = 'seal' | 'verify' | 'proof' | 'startSealing'

/** What a process says when its work is done. */
export interface WorkDone {
  readonly entries: number
  readonly seconds: number
  /** Microseconds of the processor. */
  readonly cpu: number
  /** The most resident bytes. */
  readonly memory: number
  /** Milliseconds of each proof. */
  readonly proofs?: readonly number[]
}

const [work, url = '', ...ids] = process.argv.slice(2)
const table = { schema: 'public', name: 'audit_logs' }
const seal = sealSchema.parse({ key: { environment: 'AUDIT_SEAL_KEY' } })
const signer = await openSigner(seal)

/** Milliseconds of each proof, behind some that are not counted. */
async function prove(): Promise<number[]> {
  const client = withAudit(new PrismaClient({ adapter: ordinaryAdapter(url) }))
  const times: number[] = []
  for (const [index, id] of ids.entries()) {
    const start = performance.now()
    await client.$audit.proof(id)
    if (index >= ids.length / 5) times.push(performance.now() - start)
  }
  await client.$disconnect()
  return times
}

async function doWork(): Promise<Pick<WorkDone, 'entries' | 'proofs'>> {
  if (work === 'proof') return { entries: ids.length, proofs: await prove() }
  if (work === 'seal') {
    const { signal } = new AbortController()
    return withWritingConnection(url, table, (connection) =>
      sealOnce(readerLog({ options: { table }, connection: logConnection(connection) }), signer, [], signal),
    )
  }
  const { ok, entries } = await withConnection(url, table, (connection) =>
    verifyLog(readerLog({ options: { table }, connection: logConnection(connection) }), {
      ...{ keys: signer.keys, origin: undefined },
    }),
  )
  if (!ok) throw new Error('The log does not verify')
  return { entries }
}

/** Seals every second, from each 'begin' to the next 'pause'. */
async function sealOnDemand(): Promise<void> {
  await withWritingConnection(url, table, async (connection) => {
    const log = readerLog({ options: { table }, connection: logConnection(connection) })
    const onError = (error: Error) => {
      throw error
    }
    process.send?.('ready')
    while (true) {
      const [message] = await once(process, 'message')
      if (message === 'stop') return
      const sealing = sealOn(log, signer, { every: 1_000, onError })
      process.send?.('begun')
      await once(process, 'message')
      await sealing.stop()
      process.send?.('paused')
    }
  })
}

if (work === 'startSealing') {
  await sealOnDemand()
} else {
  const memory = watchMemory()
  const [start, before] = [performance.now(), process.cpuUsage()]
  const done = await doWork()
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - start) / 1_000
  process.send?.({ ...done, seconds, cpu: user + system, memory: memory() } satisfies WorkDone)
}
process.disconnect()
