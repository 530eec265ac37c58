import { describe, expect, it } from 'vitest'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { createDatabase } from '../support/database.ts'
import { newKey, origin, sealAll, signerOf } from './seals.ts'

const entries = 700

/** A log that is sealed in steps of 100, and somebody who owns the server. */
async function sealedLog() {
  const database = await createDatabase()
  const log = logOf(database)
  const key = newKey()
  await database.sql(
    `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, resource_id, details)
     SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'order.update', 'ada', 'user', 'order', n::text, jsonb_build_object('n', n)
     FROM generate_series(1, $1::int) AS n`,
    [entries],
  )
  await untilReadable(database)
  const signer = await signerOf(key)
  await sealAll(log, signer, 100)
  const tables = ['sealed_leaves', 'seal_salts', 'seal_nodes', 'checkpoints'].map(
    (name) => `audit_logs_internal.${name}`,
  )
  return {
    ...{ database, log, key, signer },
    verify: (options: Partial<Parameters<typeof verifyLog>[1]> = {}) =>
      verifyLog(log, { keys: [parseVerifierKey(key.publicKey)], origin, ...options }),
    tamper: (sql: string) =>
      database.sql(
        `${['audit_logs', ...tables].map((table) => `ALTER TABLE ${table} DISABLE TRIGGER ALL;`).join(' ')} ${sql}`,
      ),
  }
}

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const internal = 'audit_logs_internal'

describe('verify', () => {
  it('finds nothing in a log that nobody altered', async () => {
    const { verify, log, signer, database } = await sealedLog()
    expect(await verify()).toMatchObject({
      ...{
        ok: true,
        findings: [],
        found: 0,
        entries,
        checkpoints: 7,
        isComplete: true,
        log: 'public.audit_logs',
      },
      verifiedUntil: { number: 7, size: entries },
      unsealed: { entries: 0, seconds: 0 },
    })
    await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, reason)
      SELECT gen_random_uuid(), 'x', E'\\x1f\\x1d', 'user', 'x', nullif(n, 'null') FROM unnest(ARRAY['null', '', E'\\x1d', '"']) AS n`)
    await untilReadable(database)
    expect((await verify()).unsealed).toMatchObject({ entries: 4, seconds: expect.any(Number) })
    await sealAll(log, signer)
    expect(await verify()).toMatchObject({ ok: true, entries: entries + 4, unsealed: { entries: 0 } })
  })

  it('says of a log without checkpoints that nothing is protected', async () => {
    const database = await createDatabase()
    await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
      VALUES (gen_random_uuid(), 'x', 'ada', 'user', 'x')`)
    expect(await verifyLog(logOf(database), { keys: [], origin: undefined })).toMatchObject({
      ...{ ok: true, entries: 0, checkpoints: 0, verifiedUntil: null, unsealed: { entries: 1 } },
    })
  })

  it('goes on behind a checkpoint, which it takes as it is', async () => {
    const { verify, tamper } = await sealedLog()
    await tamper(`UPDATE audit_logs SET reason = 'x' WHERE id IN ('${id(150)}', '${id(450)}')`)
    const { findings, ...rest } = await verify({ since: 3 })
    expect(findings.map(({ entry }) => entry?.id)).toEqual([id(450)])
    expect(rest).toMatchObject({ entries: 400, checkpoints: 5 })
    expect((await verify({ since: 7 })).ok).toBe(true)
    await expect(verify({ since: 8 })).rejects.toMatchObject({ code: 'AUDIT_NOT_SEALED' })
  })

  it('accepts a newer key, and an older one no longer', async () => {
    const { verify, key, log, database, signer } = await sealedLog()
    const newer = newKey()
    const both = [key, newer].map(({ publicKey }) => parseVerifierKey(publicKey))
    const add = async () => {
      await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
        VALUES (gen_random_uuid(), 'x', 'ada', 'user', 'x')`)
      await untilReadable(database)
    }
    await add()
    await sealAll(log, await signerOf(newer, [key.publicKey]))
    expect((await verify({ keys: both })).ok).toBe(true)
    expect((await verify()).findings).toMatchObject([{ kind: 'checkpoint', checkpoint: 8 }])
    await add()
    await sealAll(log, {
      ...signer,
      keys: [both[1] as (typeof both)[number], both[0] as (typeof both)[number]],
    })
    expect((await verify({ keys: both })).findings).toMatchObject([
      { kind: 'checkpoint', checkpoint: 9, message: expect.stringContaining('replaced') },
    ])
  })
})

describe('verify finds', () => {
  const attacks: [name: string, sql: string, findings: object[]][] = [
    [
      'a changed value',
      `UPDATE audit_logs SET actor_id = 'adb' WHERE id = '${id(350)}'`,
      [{ kind: 'changed', entry: { id: id(350) }, checkpoint: 4 }],
    ],
    [
      'the last digit of a number',
      `UPDATE audit_logs SET details = '{"n": 350.0}' WHERE id = '${id(350)}'`,
      [{ kind: 'changed', checkpoint: 4 }],
    ],
    [
      'a null that became empty',
      `UPDATE audit_logs SET reason = '' WHERE id = '${id(1)}'`,
      [{ kind: 'changed', checkpoint: 1 }],
    ],
    [
      'a microsecond',
      `UPDATE audit_logs SET timestamp = timestamp + '1 microsecond' WHERE id = '${id(700)}'`,
      [{ kind: 'changed', checkpoint: 7 }],
    ],
    [
      'a text with a separator in it',
      `UPDATE audit_logs SET actor_id = E'ada\\x1f' WHERE id = '${id(5)}'`,
      [{ kind: 'changed', entry: { id: id(5) } }],
    ],
    [
      'the first row gone',
      `DELETE FROM audit_logs WHERE id = '${id(1)}'`,
      [{ kind: 'missing', entry: { id: id(1), seq: '1' }, checkpoint: 1 }],
    ],
    [
      'one in the middle gone',
      `DELETE FROM audit_logs WHERE id = '${id(256)}'`,
      [{ kind: 'missing', entry: { id: id(256) }, checkpoint: 3 }],
    ],
    [
      'the last row gone',
      `DELETE FROM audit_logs WHERE id = '${id(700)}'`,
      [{ kind: 'missing', entry: { id: id(700) }, checkpoint: 7 }],
    ],
    [
      'an added row',
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, transaction_id) VALUES ('${id(999)}', 'x', 'x', 'user', 'x', 1)`,
      [{ kind: 'added', entry: { id: id(999) } }],
    ],
    [
      'two rows that were swapped',
      `ALTER TABLE audit_logs ALTER seq SET GENERATED BY DEFAULT; UPDATE audit_logs SET seq = 21 - seq WHERE seq IN (1, 20)`,
      [
        { kind: 'changed', entry: { id: id(20), seq: '1' } },
        { kind: 'changed', entry: { id: id(1), seq: '20' } },
      ],
    ],
    [
      'a row moved to another transaction',
      `UPDATE audit_logs SET transaction_id = 3 WHERE id = '${id(20)}'`,
      [{ kind: 'changed', entry: { id: id(20) } }],
    ],
    [
      'an altered salt',
      `UPDATE ${internal}.seal_salts SET salts = set_byte(salts, 17, 255 - get_byte(salts, 17)) WHERE first_leaf = 100`,
      [{ kind: 'changed', entry: { id: id(102) } }],
    ],
    [
      'salts that are gone',
      `DELETE FROM ${internal}.seal_salts WHERE first_leaf = 600`,
      [
        { kind: 'leaf', leaves: { first: 600, last: 699 } },
        ...Array.from({ length: 100 }, () => ({ kind: 'changed' })),
      ],
    ],
    [
      'an altered leaf',
      `UPDATE ${internal}.sealed_leaves SET leaves = set_byte(leaves, 56, 255 - get_byte(leaves, 56)) WHERE first_leaf = 100`,
      [
        // inside the tile it can't be told what was altered
        { kind: 'checkpoint', checkpoint: 2 },
        { kind: 'leaf', leaves: { first: 0, last: 255 } },
        { kind: 'changed', entry: { id: id(101) } },
      ],
    ],
    [
      'leaves that are gone',
      `DELETE FROM ${internal}.sealed_leaves WHERE first_leaf = 600; DELETE FROM ${internal}.seal_salts WHERE first_leaf = 600`,
      [
        { kind: 'leaf', leaves: { first: 600, last: 699 } },
        { kind: 'checkpoint', checkpoint: 7 },
        ...Array.from({ length: 100 }, () => ({ kind: 'added' })),
      ],
    ],
    [
      'a place of leaves that was altered',
      `UPDATE ${internal}.sealed_leaves SET seq = seq + 1 WHERE first_leaf = 300`,
      [{ kind: 'leaf', leaves: { first: 300, last: 300 } }],
    ],
    [
      'an altered tile',
      `UPDATE ${internal}.seal_nodes SET hash = set_byte(hash, 0, 255 - get_byte(hash, 0)) WHERE index = 1`,
      [{ kind: 'tile', leaves: { first: 256, last: 511 } }],
    ],
    [
      'a forged checkpoint',
      `UPDATE ${internal}.checkpoints SET root = sha256('x'), note = replace(note, encode(root, 'base64'), encode(sha256('x'), 'base64')) WHERE number = 3`,
      [{ kind: 'checkpoint', checkpoint: 3 }],
    ],
    [
      'a checkpoint that is gone',
      `DELETE FROM ${internal}.checkpoints WHERE number = 3`,
      [{ kind: 'checkpoint', checkpoint: 4 }],
    ],
    [
      'a smaller checkpoint',
      `UPDATE ${internal}.checkpoints SET size = 699 WHERE number = 7`,
      [
        { kind: 'checkpoint', checkpoint: 7 },
        { kind: 'checkpoint', leaves: { first: 699, last: 699 } },
      ],
    ],
    [
      'another era',
      `INSERT INTO ${internal}.eras (log, number, after_seq, transaction_id) VALUES ('public.audit_logs', 2, 650, 1)`,
      Array.from({ length: 50 }, () => ({ kind: 'reordered' })),
    ],
  ]

  it.each(attacks)('%s', async (_, sql, expected) => {
    const { verify, tamper } = await sealedLog()
    await tamper(sql)
    const { ok, findings, found } = await verify()
    expect(findings).toMatchObject(expected)
    expect({ ok, found }).toEqual({ ok: false, found: expected.length })
  })
})
