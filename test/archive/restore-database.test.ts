import { describe, expect, it } from 'vitest'
import type { Moto } from '../../scripts/moto.ts'
import { type Sink, withAudit } from '../../src/index.ts'
import { files } from '../../src/sinks/files.ts'
import { s3 } from '../../src/sinks/s3.ts'
import { createBucket } from '../sinks/archives.ts'
import { startMoto, withoutMoto } from '../sinks/moto.ts'
import { temporaryDirectory } from '../sinks/places.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { found, shipAll, tamper, verify, writeSome } from './shipped.ts'

/** A database with a backup, to which another server is restored. */
async function createRestorable() {
  const database = await createDatabase()
  const internal = 'audit_logs_internal'
  const backup = () =>
    database.sql(
      `DROP TABLE IF EXISTS backup_log, backup_consumers, backup_eras;
       CREATE TABLE backup_log AS TABLE audit_logs; CREATE TABLE backup_consumers AS TABLE ${internal}.consumers;
       CREATE TABLE backup_eras AS TABLE ${internal}.eras`,
    )
  const restore = async () => {
    await tamper(
      database,
      `TRUNCATE audit_logs; INSERT INTO audit_logs OVERRIDING SYSTEM VALUE SELECT * FROM backup_log;
       TRUNCATE ${internal}.consumers; INSERT INTO ${internal}.consumers SELECT * FROM backup_consumers;
       TRUNCATE ${internal}.eras; INSERT INTO ${internal}.eras SELECT * FROM backup_eras;
       UPDATE ${internal}.eras SET system_identifier = system_identifier - 1;
       SELECT setval('audit_logs_seq_seq', (SELECT max(seq) FROM audit_logs))`,
    )
  }
  return { database, prisma: withAudit(createClient(database.url)), backup, restore }
}

const title = `an archive in S3${withoutMoto ? `: skipped, ${withoutMoto}` : ''}`

describe.skipIf(withoutMoto)(title, async () => {
  const moto = withoutMoto ? ({} as Moto) : await startMoto()

  async function archive() {
    const { bucket } = await createBucket(moto)
    const retention = { mode: 'COMPLIANCE', days: 30 } as const
    return (): Sink => s3({ bucket, retention, client: moto.config, limits: { entries: 2, age: 0 } })
  }

  it('of a database that was restored has a fork, which is said, and equals the log', async () => {
    const { database, prisma, backup, restore } = await createRestorable()
    const sink = await archive()
    await writeSome(database, 4)
    await shipAll(prisma, sink())
    await backup()
    await writeSome(database, 6, 'lost.entry')
    await shipAll(prisma, sink())
    await restore()

    // before anything was shipped again
    const before = await verify(prisma, sink())
    expect(found(before)).toEqual({ equal: 4, superseded: 6, faults: {} })
    expect(before.notes).toEqual([
      expect.stringMatching(
        /^Batches 3 to 5 \(from manifests\/000000000003-\w+\.json on, 6 entries\) were stored in era 1, and the log went on from an earlier place: it was restored to an earlier time, and is in era 2 since 20/,
      ),
    ])

    await writeSome(database, 3, 'new.entry')
    expect(found(await verify(prisma, sink()))).toEqual({
      ...{ equal: 4, superseded: 6, notShipped: 3 },
      faults: {},
    })
    await shipAll(prisma, sink())
    const after = await verify(prisma, sink())
    expect(found(after)).toEqual({ equal: 7, superseded: 6, faults: {} })
    expect(after.notes).toEqual(before.notes)
  })

  it('whose backup was older than what was shipped, and newer than what was acknowledged', async () => {
    const { database, prisma, backup, restore } = await createRestorable()
    const sink = await archive()
    await writeSome(database, 3)
    await shipAll(prisma, sink())
    await writeSome(database, 3, 'in.backup')
    await backup()
    await writeSome(database, 2, 'lost.entry')
    await shipAll(prisma, sink())
    await restore()
    await shipAll(prisma, sink())
    await writeSome(database, 1, 'new.entry')
    await shipAll(prisma, sink())
    expect(found(await verify(prisma, sink()))).toEqual({ equal: 7, superseded: 2, faults: {} })
  })

  it('that was restored twice, and before anything was shipped', async () => {
    const { database, prisma, backup, restore } = await createRestorable()
    const sink = await archive()
    await writeSome(database, 1)
    await verify(prisma, sink()) // begins the era
    await backup()
    for (const time of ['first', 'second', 'third']) {
      await writeSome(database, 3, `${time}.time`)
      await shipAll(prisma, sink())
      if (time !== 'third') await restore()
    }
    const report = await verify(prisma, sink())
    expect(found(report)).toEqual({ equal: 4, superseded: 6, faults: {} })
    expect(report.notes).toHaveLength(2)
  })

  it('still finds what is wrong on either side of the fork', async () => {
    const { database, prisma, backup, restore } = await createRestorable()
    const sink = await archive()
    await writeSome(database, 2)
    await shipAll(prisma, sink())
    await backup()
    await writeSome(database, 2, 'lost.entry')
    await shipAll(prisma, sink())
    await restore()
    await writeSome(database, 2, 'new.entry')
    await shipAll(prisma, sink())
    await tamper(
      database,
      `UPDATE audit_logs SET actor_id = 'eve' WHERE seq = (SELECT min(seq) FROM audit_logs);
       DELETE FROM audit_logs WHERE seq = (SELECT max(seq) FROM audit_logs)`,
    )
    expect(found(await verify(prisma, sink()))).toEqual({
      ...{ equal: 2, superseded: 2, changed: 1, extra: 1 },
      faults: {},
    })
  })
})

describe('an archive of files', () => {
  it('can’t tell a restore: what was lost by it is extra, and it is said why that may be', async () => {
    const { database, prisma, backup, restore } = await createRestorable()
    const directory = await temporaryDirectory()
    const sink = files({ directory, limits: { entries: 2 } })
    await writeSome(database, 4)
    await shipAll(prisma, sink)
    await backup()
    await writeSome(database, 2, 'lost.entry')
    await shipAll(prisma, sink)
    await restore()
    await writeSome(database, 2, 'new.entry')
    await shipAll(prisma, sink)
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 6, extra: 2, faults: {} })
    expect(report.notes).toEqual([
      expect.stringMatching(
        /^The log was restored or moved, and is in era 2 since 20\S+\. What was delivered/,
      ),
    ])
  })
})
