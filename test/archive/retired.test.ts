import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { files } from '../../src/sinks/files.ts'
import { createPartitioned, fillMonths } from '../partitions/partitioned.ts'
import { untilReadable } from '../reader/readers.ts'
import { maintainBy, temporaryArchive } from '../retention/retained.ts'
import { temporaryDirectory } from '../sinks/places.ts'
import { createClient } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { found, shipAll, verify } from './shipped.ts'

describe("a sink's archive of a log whose months have left", { timeout: 120_000 }, () => {
  it('equals the table and the archive of the log, erased entries of both included', async () => {
    const db = await createPartitioned()
    await fillMonths(db, 5, 60)
    const { archive } = await temporaryArchive()
    const retention = { default: '1 month', archive }
    const prisma = withAudit(createClient(db.url), { retention })
    const sink = files({ name: unique('files'), directory: await temporaryDirectory() })
    await untilReadable(db)
    await shipAll(prisma, sink)
    // of three: one leaves as it was erased, the others stay
    const ids = await db.sql<{ id: string }>(
      `(SELECT id FROM audit_logs ORDER BY "timestamp" LIMIT 1) UNION ALL (SELECT id FROM audit_logs ORDER BY "timestamp" DESC LIMIT 2)`,
    )
    await prisma.$audit.erase(
      ids.map(({ id }) => id),
      { reason: 'x' },
    )
    await untilReadable(db)
    const actions = await maintainBy(db, retention)
    await untilReadable(db)
    const retired = actions
      .filter(({ action }) => action === 'retire')
      .reduce((sum, { entries = 0 }) => sum + entries, 0)
    expect(retired).toBeGreaterThan(20)
    const own = actions.filter(({ action }) => action === 'retire').length + 1
    expect(found(await verify(prisma, sink))).toEqual({ equal: 57, erased: 3, notShipped: own, faults: {} })

    const report = await verify(withAudit(createClient(db.url)), sink)
    expect(found(report)).toEqual({
      ...{ equal: 60 - retired - 2, erased: 2, extra: retired, notShipped: own, faults: {} },
    })
    expect(report.notes).toContain(
      'Months have left the log for its archive, and count as extra: the option retention, which says where that is, is missing.',
    )
  })
})
