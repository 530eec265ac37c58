import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archiveFolder } from 'prisma-extension-audit/archive'
import { archiveMonth } from '../../src/retention/archive-month.ts'
import { readPastMonths } from '../../src/retention/months.ts'
import { retentionSchema } from '../../src/retention-schema.ts'
import { watchMemory } from '../highest-memory.ts'
import { withOwner } from './owner.ts'

/** What the process says when it is done. */
export interface ArchivingDone {
  readonly entries: number
  readonly perSecond: number
  /** The most resident bytes. */
  readonly memory: number
}

/** Milliseconds: at least one month, and as many as fit. */
const timeForArchiving = 30_000

/** The oldest months go to a folder, and are read back from there, as `maintain` does it. */
const [url = ''] = process.argv.slice(2)
const directory = await mkdtemp(join(tmpdir(), 'audit-scale-'))
try {
  const done = await withOwner(url, async (log): Promise<ArchivingDone> => {
    const retention = retentionSchema.parse({ default: '1 month', archive: archiveFolder({ directory }) })
    const { signal } = new AbortController()
    const memory = watchMemory()
    const start = performance.now()
    let entries = 0
    for (const month of await readPastMonths(log, retention)) {
      const actions = await archiveMonth(log, month, retention.archive, { lock: log.connection, signal })
      for (const { action, entries: archived = 0 } of actions) if (action === 'archive') entries += archived
      if (performance.now() - start > timeForArchiving) break
    }
    return { entries, perSecond: (entries / (performance.now() - start)) * 1_000, memory: memory() }
  })
  process.send?.(done)
} finally {
  await rm(directory, { recursive: true, force: true })
}
process.disconnect()
