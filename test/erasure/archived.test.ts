import { describe, expect, it } from 'vitest'
import type { MonthArchive } from '../../src/archive-contract.ts'
import { withAudit } from '../../src/index.ts'
import { archivedLog } from '../../src/parquet/archived-entries.ts'
import { restoreMonth } from '../../src/retention/restore-month.ts'
import type { RetentionRule } from '../../src/retention-options.ts'
import { checkProof } from '../../src/seal/check-proof.ts'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { proveEntry } from '../../src/seal/proof.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { createPartitioned } from '../partitions/partitioned.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { maintainBy, ownedLogOf, temporaryArchive } from '../retention/retained.ts'
import { newKey, origin, sealAll, signerOf } from '../seal/seals.ts'
import { createClient } from '../support/database.ts'
import { refusal } from '../support/errors.ts'
import { textOfAllTables } from './texts.ts'

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const adas = Array.from({ length: 6 }, (_, at) => id((at + 1) * 5))

type Subject = { actor: string } | { model: 'Tag'; id: number } | string[]

/** A sealed log of six months, five entries each: the last of each is Ada's, with a secret, and that of the third month is held. */
async function sixMonths(rules: RetentionRule[] = []) {
  const db = await createPartitioned()
  await db.sql(`SELECT audit_logs_internal.create_partitions('audit_logs', 1, now() - interval '7 months')`)
  await db.sql(`INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type, resource_id, reason, details, ip, organization_id)
    SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
      date_trunc('month', now()) - (6 - (n - 1) / 5) * interval '1 month' + n * interval '1 minute',
      'tag.update', CASE n % 5 WHEN 0 THEN 'ada' ELSE 'x' END, 'user', 'tag', n::text,
      CASE n % 5 WHEN 0 THEN 'Adas secret ' || n END,
      jsonb_build_object('before', jsonb_build_object('id', n, 'name', n || CASE n % 5 WHEN 0 THEN ' was Adas' ELSE ' was another' END), 'after', jsonb_build_object('id', n, 'name', n || CASE n % 5 WHEN 0 THEN ' is Adas' ELSE ' is another' END),
        'changed', '["name"]'::jsonb), '192.0.2.1', CASE n WHEN 15 THEN 'held' END
    FROM generate_series(1, 30) AS n`)
  const key = newKey()
  const log = logOf(db)
  const seal = async () => {
    await untilReadable(db)
    await sealAll(log, await signerOf(key))
  }
  await seal()
  const { archive } = await temporaryArchive()
  const policy = { default: '1 month', rules, archive }
  const keys = [parseVerifierKey(key.publicKey)]
  const withArchive = (given: MonthArchive) => ({
    ...log,
    archive: archivedLog(given, log.table, log.connection),
  })
  const prisma = withAudit(createClient(db.url), { retention: policy })
  const [months] = await db.sql<{ months: string[] }>(
    `SELECT array_agg(to_char((date_trunc('month', now()) - n * interval '1 month') AT TIME ZONE 'UTC', 'YYYY-MM') ORDER BY n DESC) AS months
     FROM generate_series(1, 6) AS n`,
  )
  return {
    ...{ db, log, archive, keys, seal, prisma },
    months: months?.months ?? [],
    maintain: (by = policy) => maintainBy(db, by),
    /** Archives all months that are over, and leaves them in the table. */
    archiveOnly: () => maintainBy(db, { default: 'forever', archive }),
    /** Has the entries that `work` writes stand in the second month, and so leave with it. */
    inPast: async <T>(work: () => Promise<T>): Promise<T> => {
      const standingAt = (time: string) =>
        db.sql(`ALTER TABLE audit_logs ALTER COLUMN "timestamp" SET DEFAULT ${time}`)
      await standingAt(`(date_trunc('month', now()) - interval '5 months')`)
      const result = await work()
      await standingAt('clock_timestamp()')
      return result
    },
    restore: (month: string | undefined) => restoreMonth(ownedLogOf(db), archive, month ?? ''),
    erase: (subject: Subject = { actor: 'ada' }, fields?: string[]) =>
      prisma.$audit.erase(subject, { reason: 'request 17', ...(fields && { fields }) }),
    verify: (given: MonthArchive | undefined = archive) =>
      verifyLog(given ? withArchive(given) : log, { keys, origin }),
    verifyWithout: () => verifyLog(log, { keys, origin }),
    prove: (entry: string) => proveEntry(withArchive(archive), entry),
    rows: (ids: readonly string[]) =>
      db.sql(
        `SELECT id, actor_id, resource_id, reason, host(ip) AS ip, details - 'erasure' AS details FROM audit_logs WHERE id = ANY ($1) ORDER BY id`,
        [ids],
      ),
  }
}

const erasedRow = (n: number) => ({
  ...{ id: id(n), actor_id: 'ada', resource_id: String(n), reason: '[erased]', ip: null },
  details: {
    before: { id: n, name: '[erased]' },
    after: { id: n, name: '[erased]' },
    changed: ['name'],
  },
})

const all = adas.map((_, at) => erasedRow((at + 1) * 5))

describe('verify', { timeout: 120_000 }, () => {
  it('finds erased entries in the archive, and the entry that tells of them', async () => {
    const { erase, inPast, seal, maintain, verify, rows, prove, keys } = await sixMonths()
    expect(await inPast(() => erase())).toMatchObject({ erased: 6, archived: 0 })
    await seal()
    await maintain()
    expect(await rows(adas)).toHaveLength(1)
    const verified = await verify()
    expect(verified).toMatchObject({ ok: true, findings: [], entries: 31, erased: 6 })
    expect(verified).not.toHaveProperty('unerased')
    for (const entry of [id(1), id(5)]) {
      expect(checkProof(JSON.parse(JSON.stringify(await prove(entry))), keys)).toMatchObject({
        ...{ ok: true, entry: { id: entry } },
        ...(entry === id(5) && { erasedBy: { reason: 'request 17' } }),
      })
    }
  })

  it('finds the entry in the archive that tells of an erased one in the table, or says what it needs', async () => {
    const { erase, inPast, seal, maintain, verify, verifyWithout } = await sixMonths([
      { organization: 'held', hold: true },
    ])
    const [telling] = (await inPast(() => erase())).entryIds
    await seal()
    await maintain()
    expect(await verify()).toMatchObject({ ok: true, findings: [], erased: 6 })
    const { ok, findings } = await verifyWithout()
    expect(ok).toBe(false)
    expect(findings.filter(({ kind }) => kind !== 'missing')).toMatchObject([
      {
        kind: 'changed',
        message: `Entry ${id(15)} was erased, and the entry ${telling} that tells of it is not in the table: months have left it. Verify with the archive, the option retention of audit.config.ts`,
      },
      { kind: 'changed', entry: { id: id(30) } },
    ])
    expect(findings.find(({ kind }) => kind === 'missing')?.message).toMatch(
      /^Entry .* was sealed, and is not in the table\. Months have left it: verify with the archive/,
    )
  })

  it('counts what the archive has from before its erasure, and takes it for no alteration', async () => {
    const { archiveOnly, erase, seal, maintain, verify, prove } = await sixMonths()
    await archiveOnly()
    expect(await erase()).toMatchObject({ erased: 6, archived: 6 })
    await maintain()
    const expected = { ok: true, findings: [], erased: 6, unerased: 5 }
    expect(await verify()).toMatchObject(expected)
    await seal()
    expect(await verify()).toMatchObject(expected)
    expect((await refusal(() => prove(id(5)))).message).toMatch(/was erased since it was archived/)
  })

  it('finds an archived entry whose salt is gone, of which no entry tells', async () => {
    const { db, maintain, verify } = await sixMonths()
    await maintain()
    await db.sql(`ALTER TABLE audit_logs_internal.seal_salts DISABLE TRIGGER ALL;
      UPDATE audit_logs_internal.seal_salts SET salts = overlay(salts PLACING decode(repeat('00', 16), 'hex') FROM 1 FOR 16)`)
    expect((await verify()).findings).toMatchObject([{ kind: 'changed', entry: { id: id(1) } }])
  })

  it('finds an erased row in the table that was put back, though the entry that tells of it is archived', async () => {
    const { db, erase, inPast, seal, maintain, verify } = await sixMonths([
      { organization: 'held', hold: true },
    ])
    await db.sql(
      'CREATE TABLE rows AS SELECT * FROM audit_logs; CREATE TABLE salts AS SELECT * FROM audit_logs_internal.seal_salts',
    )
    await inPast(() => erase([id(15)]))
    await seal()
    await maintain()
    await db.sql(`ALTER TABLE audit_logs DISABLE TRIGGER ALL; ALTER TABLE audit_logs_internal.seal_salts DISABLE TRIGGER ALL;
      DO $$ DECLARE p record; BEGIN FOR p IN SELECT partition FROM audit_logs_internal.partitions('audit_logs') LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', p.partition); END LOOP; END $$;
      UPDATE audit_logs l SET reason = r.reason, ip = r.ip, details = r.details FROM rows r WHERE r.id = l.id AND l.id = '${id(15)}';
      UPDATE audit_logs_internal.seal_salts s SET salts = t.salts FROM salts t WHERE t.first_leaf = s.first_leaf`)
    expect((await verify()).findings).toMatchObject([
      {
        kind: 'changed',
        entry: { id: id(15) },
        message: expect.stringContaining('was erased, and is no longer'),
      },
    ])
  })
})

describe('a month that comes back', { timeout: 120_000 }, () => {
  it('says of an entry that it was erased, also where that had no value to erase', async () => {
    const { db, months, archiveOnly, erase, seal, maintain, restore, verify, inPast } = await sixMonths()
    await inPast(() =>
      db.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
        VALUES ('${id(99)}', 'tag.create', 'x', 'user', 'tag')`),
    )
    await seal()
    await archiveOnly()
    expect((await erase([id(99)])).erased).toBe(1)
    await seal()
    await maintain()
    await restore(months[1])
    expect(await verify()).toMatchObject({ ok: true, findings: [], erased: 1 })
    expect(await db.sql(`SELECT details ? 'erasure' AS says FROM audit_logs WHERE id = '${id(99)}'`)).toEqual(
      [{ says: true }],
    )
    expect((await erase([id(99)])).erased).toBe(0)
  })

  it('has no value that was erased since it was archived, and its seals and proofs hold', async () => {
    const { db, months, keys, archiveOnly, erase, seal, maintain, restore, verify, ...log } = await sixMonths(
      [{ organization: 'held', hold: true }],
    )
    await archiveOnly()
    await erase()
    await seal()
    for (const _ of [1, 2]) {
      await maintain()
      expect(await log.rows(adas)).toHaveLength(2)
      for (const month of months.slice(0, 5)) await restore(month)
      expect(await log.rows(adas)).toEqual(all)
      const text = await textOfAllTables(db)
      expect(text).not.toContain('Adas')
      expect(await verify()).toMatchObject({ ok: true, findings: [], erased: 6 })
      await seal()
      expect(await log.verifyWithout()).toMatchObject({ ok: true, findings: [], erased: 6 })
      expect(checkProof(JSON.parse(JSON.stringify(await log.prove(id(5)))), keys)).toMatchObject({
        ...{ ok: true, entry: { reason: '[erased]' } },
        erasedBy: { reason: 'request 17' },
      })
    }
    // an entry for the request, and one for each month that came back, each time
    const told = await db.sql(
      `SELECT reason, (details ->> 'count')::int AS count, details ? 'subject' AS names FROM audit_logs WHERE action = 'auditLog.erase' ORDER BY seq`,
    )
    expect(told).toEqual([
      { reason: 'request 17', count: 6, names: true },
      ...Array.from({ length: 10 }, () => ({ reason: 'request 17', count: 1, names: false })),
    ])
  })

  it('is erased by what was asked for while it was away', async () => {
    const { months, erase, maintain, restore, rows, verify } = await sixMonths()
    await maintain()
    expect(await erase()).toMatchObject({ erased: 1, archived: 6 })
    expect(await erase({ model: 'Tag', id: 10 })).toEqual({ erased: 0, entryIds: [], archived: 1 })
    for (const month of months.slice(0, 5)) await restore(month)
    expect(await rows(adas)).toEqual(all)
    expect(await verify()).toMatchObject({ ok: true, erased: 6 })
  })

  it('is erased as was said then: some fields, some entries, an id', async () => {
    const { months, db, erase, maintain, restore, rows, verify } = await sixMonths()
    await maintain()
    expect(await erase([id(5), id(6)], ['reason'])).toEqual({ erased: 0, entryIds: [], archived: 2 })
    expect(await erase({ actor: 'ada' }, ['actor.id'])).toMatchObject({ erased: 1, archived: 6 })
    await restore(months[0])
    await restore(months[1])
    const [five, six, ten] = await rows([id(5), id(6), id(10)])
    expect(five).toMatchObject({ actor_id: '[erased]', reason: '[erased]', ip: '192.0.2.1' })
    expect(six).toMatchObject({ actor_id: 'x', reason: null })
    expect(ten).toMatchObject({ actor_id: '[erased]', reason: 'Adas secret 10' })
    expect(await verify()).toMatchObject({ ok: true, findings: [] })
    // nobody can read off who it was
    expect(
      await db.sql(`SELECT e::text FROM audit_logs_internal.erasures AS e WHERE e::text ~ 'ada'`),
    ).toEqual([])
  })

  it('keeps what was written after the erasure, and what is archived as it was erased', async () => {
    const { db, months, erase, seal, maintain, restore, rows, verify } = await sixMonths()
    await erase()
    await db.sql(`INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type, reason)
      VALUES ('${id(100)}', date_trunc('month', now()) - interval '6 months' + interval '1 day', 'x.y', 'ada', 'user', 'x', 'Ada is back')`)
    await seal()
    await maintain()
    await restore(months[0])
    expect(await rows([id(5), id(100)])).toMatchObject([{ reason: '[erased]' }, { reason: 'Ada is back' }])
    expect(await verify()).toMatchObject({ ok: true, erased: 6 })
    const told = await db.sql(`SELECT FROM audit_logs WHERE action = 'auditLog.erase'`)
    expect(told).toHaveLength(1)
  })

  it('leaves nothing behind where it can not come back', async () => {
    const { db, months, erase, maintain, restore } = await sixMonths()
    await maintain()
    await erase()
    await db.sql(`UPDATE audit_logs_internal.archives SET seq_sum = seq_sum + 1`)
    expect((await refusal(() => restore(months[0]))).code).toBe('AUDIT_NOT_MAINTAINED')
    expect(await db.sql(`SELECT to_regclass('audit_logs_restored') AS name`)).toEqual([{ name: null }])
  })
})
