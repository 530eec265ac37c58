import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { checkProof } from '../../src/seal/check-proof.ts'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { proveEntry } from '../../src/seal/proof.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { partitionLog } from '../partitions/partitioned.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { leavesOf, newKey, origin, sealAll, signerOf } from '../seal/seals.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { refusal } from '../support/errors.ts'
import { textOfAllTables } from './texts.ts'

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const internal = 'audit_logs_internal'

/** A log of 600 entries, sealed 100 at a time, of which every tenth has a secret of Ada's. */
async function sealedLog({ isPartitioned = false } = {}) {
  const database = await createDatabase()
  if (isPartitioned) await partitionLog(database)
  const log = logOf(database)
  const key = newKey()
  await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, resource_id, reason, ip)
    SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'order.update', CASE n % 10 WHEN 0 THEN 'ada' ELSE 'x' END,
      'user', 'order', n::text, CASE n % 10 WHEN 0 THEN 'Adas secret ' || n END, '192.0.2.1' FROM generate_series(1, 600) AS n`)
  const seal = async () => {
    await untilReadable(database)
    await sealAll(log, await signerOf(key), 100)
  }
  await seal()
  const keys = [parseVerifierKey(key.publicKey)]
  const prisma = withAudit(createClient(database.url))
  return {
    ...{ database, log, keys, seal, prisma },
    erase: (subject: Parameters<typeof prisma.$audit.erase>[0] = { actor: 'ada' }, fields?: string[]) =>
      prisma.$audit.erase(subject, { reason: 'request 17', ...(fields && { fields }) }),
    verify: (options = {}) => verifyLog(log, { keys, origin, ...options }),
    prove: async (entry: string) => JSON.parse(JSON.stringify(await proveEntry(log, entry))) as unknown,
    tamper: (sql: string) =>
      database.sql(
        `${[
          'audit_logs',
          ...['sealed_leaves', 'seal_salts', 'checkpoints'].map((name) => `${internal}.${name}`),
        ]
          .map((table) => `ALTER TABLE ${table} DISABLE TRIGGER ALL;`)
          .join(' ')} ${sql}`,
      ),
  }
}

describe('after an erasure', () => {
  it.each([
    ['a log', false],
    ['a partitioned log', true],
  ])('all of %s still fits, before and after it is sealed itself', async (_, isPartitioned) => {
    const { database, log, keys, seal, erase, verify, prove } = await sealedLog({ isPartitioned })
    const handedOut = await prove(id(20))
    const salts = (await leavesOf(database, log)).map(({ salt }) => salt)
    expect((await erase()).erased).toBe(60)
    expect(await verify()).toMatchObject({ ok: true, findings: [], entries: 600, erased: 60 })
    await seal()
    expect(await verify()).toMatchObject({ ok: true, entries: 601, erased: 60, unsealed: { entries: 0 } })
    expect(await verify({ since: 6 })).toMatchObject({ ok: true, entries: 1, erased: 0 })
    const after = (await leavesOf(database, log)).map(({ salt }) => salt)
    expect(after.slice(0, 600)).toEqual(salts.map((salt, at) => (at % 10 === 9 ? Buffer.alloc(16) : salt)))

    expect(checkProof(handedOut, keys)).toMatchObject({ ok: true, entry: { reason: 'Adas secret 20' } })
    expect(checkProof(await prove(id(21)), keys)).toMatchObject({ ok: true, index: 20 })
    const proof = await prove(id(20))
    expect(checkProof(proof, keys)).toMatchObject({
      ...{ ok: true, index: 19, entry: { id: id(20), reason: '[erased]', ip: null } },
      erasedBy: { action: 'auditLog.erase', reason: 'request 17' },
    })
    const forged = JSON.parse(JSON.stringify(proof).replace('"ada"', '"eve"'))
    expect(checkProof(forged, keys)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('is not what its erasure has left of it'),
    })
    const { erasure: __, ...without } = proof as Record<string, unknown>
    expect(checkProof(without, keys)).toMatchObject({ ok: false })
    expect(await textOfAllTables(database)).not.toMatch(/adas secret/i)
  })

  it('more may be erased, and nothing twice', async () => {
    const { seal, erase, verify } = await sealedLog()
    expect((await erase(undefined, ['reason'])).erased).toBe(60)
    expect((await erase([id(30), id(31)])).erased).toBe(2)
    await seal()
    expect((await erase([id(40)], ['actor.id'])).erased).toBe(1)
    expect((await erase([id(40)], ['actor.id'])).erased).toBe(0)
    expect(await verify()).toMatchObject({ ok: true, erased: 61 })
  })

  it('its proof waits until the erasure is sealed', async () => {
    const { erase, prove } = await sealedLog()
    await erase()
    expect((await refusal(() => prove(id(20)))).code).toBe('AUDIT_NOT_SEALED')
  })
})

describe('what is not sealed yet', () => {
  it('is not erased from a log that is sealed', async () => {
    const { database, prisma, seal, erase } = await sealedLog()
    await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, reason)
      VALUES ('${id(601)}', 'x.y', 'ada', 'user', 'x', 'Adas secret')`)
    const error = await refusal(() => erase())
    expect([error.code, error.message]).toEqual([
      'AUDIT_NOT_SEALED',
      'Some of the entries of "audit_logs" to erase are not sealed yet, so nothing was erased: what is sealed proves that it was there. Seal the log, with "npx prisma-extension-audit seal --once", and erase again.',
    ])
    expect((await prisma.$audit.search({ action: 'auditLog.erase' })).entries).toEqual([])
    await seal()
    expect((await erase()).erased).toBe(61)
  })

  it('is sealed as it was left, where nothing sealed the log before', async () => {
    const database = await createDatabase()
    const prisma = withAudit(createClient(database.url))
    const { id: entry } = await prisma.$audit.record({ action: 'letter.send', reason: 'secret' })
    await prisma.$audit.erase([entry], { reason: 'x' })
    await untilReadable(database)
    const key = newKey()
    await sealAll(logOf(database), await signerOf(key))
    const keys = [parseVerifierKey(key.publicKey)]
    expect(await verifyLog(logOf(database), { keys, origin })).toMatchObject({
      ok: true,
      entries: 2,
      erased: 0,
    })
    const checked = checkProof(await proveEntry(logOf(database), entry), keys)
    expect(checked).toMatchObject({ ok: true, entry: { reason: '[erased]' } })
    expect(checked).not.toHaveProperty('erasedBy')
  })
})

describe('verify finds', () => {
  const erased = `reason = '[erased]', ip = NULL`
  const marker = (entry: string) => `details = '{"erasure": {"entry": "${entry}", "nonce": "00"}}'`
  const hashOf = (n: number) =>
    `encode(sha256(convert_to(${internal}.entry_form(l.id, l."timestamp", l.action, l.actor_id, l.actor_type, l.actor_email, l.resource_type,
      l.resource_id, l.outcome, l.reason, l.details, l.request_id, l.ip, l.user_agent, l.organization_id, l.seq, l.transaction_id), 'UTF8')), 'hex')
    FROM audit_logs l WHERE id = '${id(n)}'`

  const attacks: [name: string, sql: (telling: string) => string, findings: object[]][] = [
    [
      'an erasure that no entry tells of',
      () => `UPDATE audit_logs SET ${erased} WHERE id = '${id(7)}'`,
      [{ kind: 'changed', entry: { id: id(7) }, checkpoint: 1 }],
    ],
    [
      'one that names an entry that does not tell of it',
      (telling) => `UPDATE audit_logs SET ${erased}, ${marker(telling)} WHERE id = '${id(7)}'`,
      [{ kind: 'changed', entry: { id: id(7) } }],
    ],
    [
      'one that names no entry that is there',
      () => `UPDATE audit_logs SET ${erased}, ${marker(id(999))} WHERE id = '${id(7)}'`,
      [{ kind: 'changed', entry: { id: id(7) } }],
    ],
    [
      'an erased row that was altered further',
      () => `UPDATE audit_logs SET actor_id = 'eve' WHERE id = '${id(20)}'`,
      [{ kind: 'changed', entry: { id: id(20), actor: 'eve' }, checkpoint: 1 }],
    ],
    [
      'an erased row that no longer says so',
      () => `UPDATE audit_logs SET details = NULL WHERE id = '${id(20)}'`,
      [{ kind: 'changed', entry: { id: id(20) } }],
    ],
    [
      'the entry that tells gone, and with it what it told of',
      (telling) => `DELETE FROM audit_logs WHERE id = '${telling}'`,
      [
        ...Array.from({ length: 60 }, (_, at) => ({ kind: 'changed', entry: { id: id(at * 10 + 10) } })),
        { kind: 'missing' },
      ],
    ],
    [
      'an entry that tells of another erasure now',
      (telling) => `UPDATE audit_logs SET ${erased}, ${marker(telling)} WHERE id = '${id(7)}';
        UPDATE audit_logs SET details = jsonb_set(details, '{erased,${id(7)}}', to_jsonb(h)) FROM (SELECT ${hashOf(7).replace(' FROM', ' AS h FROM')}) AS x WHERE id = '${telling}'`,
      [
        { kind: 'changed', entry: { action: 'auditLog.erase' } },
        { kind: 'changed', entry: { id: id(7) } },
        ...Array.from({ length: 60 }, (_, at) => ({ kind: 'changed', entry: { id: id(at * 10 + 10) } })),
      ],
    ],
    [
      'a salt that an erasure left',
      () => `UPDATE ${internal}.seal_salts SET salts = set_byte(salts, 19 * 16, 1) WHERE first_leaf = 0`,
      [{ kind: 'changed', entry: { id: id(20) }, message: expect.stringContaining('erase it once more') }],
    ],
  ]

  it.each(attacks)('%s', async (_, sql, expected) => {
    const { verify, tamper, erase, seal } = await sealedLog()
    const [telling = ''] = (await erase()).entryIds
    await seal()
    await tamper(sql(telling))
    const { ok, findings, found } = await verify()
    expect(findings).toMatchObject(expected)
    expect({ ok, found }).toEqual({ ok: false, found: expected.length })
  })

  it('what was erased, put back from a backup, its salt too', async () => {
    const { database, verify, tamper, erase, seal } = await sealedLog()
    await database.sql(
      `CREATE TABLE rows AS SELECT * FROM audit_logs; CREATE TABLE salts AS SELECT * FROM ${internal}.seal_salts`,
    )
    await erase([id(20)])
    await seal()
    await tamper(`UPDATE audit_logs l SET reason = r.reason, ip = r.ip, details = r.details FROM rows r WHERE r.id = l.id AND l.id = '${id(20)}';
      UPDATE ${internal}.seal_salts s SET salts = t.salts FROM salts t WHERE t.first_leaf = s.first_leaf`)
    expect((await verify()).findings).toMatchObject([
      {
        kind: 'changed',
        entry: { id: id(20) },
        message: expect.stringContaining('was erased, and is no longer'),
      },
    ])
  })

  it('a place of leaves, and of a checkpoint, whose entry was erased', async () => {
    const { verify, tamper, erase, seal } = await sealedLog()
    await erase([id(101), id(200)])
    await seal()
    await tamper(`UPDATE ${internal}.sealed_leaves SET seq = seq - 1 WHERE first_leaf = 100;
      UPDATE ${internal}.checkpoints SET transaction_id = transaction_id - 1 WHERE number = 2`)
    expect((await verify()).findings).toMatchObject([
      { kind: 'checkpoint', entry: { id: id(200) }, checkpoint: 2 },
      { kind: 'leaf', entry: { id: id(101) }, leaves: { first: 100, last: 100 } },
    ])
  })

  it('an entry that tells of an erasure, altered: what it tells of is unproven', async () => {
    const { verify, tamper, erase, seal } = await sealedLog()
    await erase([id(20)])
    await seal()
    await tamper(`UPDATE audit_logs SET request_id = 'x' WHERE action = 'auditLog.erase'`)
    expect((await verify()).findings).toMatchObject([
      { kind: 'changed', entry: { action: 'auditLog.erase' } },
      {
        kind: 'changed',
        entry: { id: id(20) },
        message: expect.stringMatching(/was erased, as the entry .* tells, and that one is itself not what/),
      },
    ])
  })

  it('an entry that tells of an erasure that never was', async () => {
    const { database, verify } = await sealedLog()
    await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, details)
      VALUES ('${id(999)}', 'auditLog.erase', 'x', 'user', 'auditLog', '{"erased": {"${id(7)}": "00"}}')`)
    expect((await verify()).findings).toMatchObject([
      {
        kind: 'changed',
        entry: { id: id(7) },
        message: expect.stringContaining(
          `it is as it was sealed, so either its values and its salt were put back, or ${id(999)} is forged`,
        ),
      },
    ])
  })

  it.each([
    ...['null', '1', '"x"', '[]', '{}', '{"erased": null}', '{"erased": "x"}', '{"erased": ["x"]}'],
    ...['{"erased": {"x": "y"}}', `{"erased": {"${id(7)}": null}}`, '{"erased": {"": 1}}'],
  ])('nothing of an entry that tells of an erasure by details %s, and comes to its end', async (details) => {
    const { database, verify, seal } = await sealedLog()
    await database.sql(
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, details)
       VALUES ('${id(999)}', 'auditLog.erase', 'x', 'user', 'auditLog', $1)`,
      [details],
    )
    expect(await verify()).toMatchObject({ ok: true, entries: 600, erased: 0, unsealed: { entries: 1 } })
    await seal()
    expect(await verify()).toMatchObject({ ok: true, entries: 601, erased: 0 })
  })

  it('an erasure with a forged entry among those that are sealed', async () => {
    const { verify, tamper } = await sealedLog()
    await tamper(`UPDATE audit_logs SET ${erased}, ${marker(id(999))} WHERE id = '${id(7)}';
      INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, details, transaction_id)
      SELECT '${id(999)}', 'auditLog.erase', 'x', 'user', 'auditLog', jsonb_build_object('erased', jsonb_build_object('${id(7)}', h)), 3
      FROM (SELECT ${hashOf(7).replace(' FROM', ' AS h FROM')}) AS x`)
    expect((await verify()).findings).toMatchObject([
      { kind: 'changed', entry: { id: id(7) } },
      { kind: 'added', entry: { id: id(999) } },
    ])
  })
})
