import { expect, it } from 'vitest'
import { archivedLog } from '../../src/parquet/archived-entries.ts'
import { restoreMonth } from '../../src/retention/restore-month.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { createPartitioned } from '../partitions/partitioned.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { newKey, origin, sealAll, signerOf } from '../seal/seals.ts'
import { maintainBy, ownedLogOf, temporaryArchive } from './retained.ts'

const texts = [
  ...[
    '',
    ' ',
    '"',
    '\\',
    '\u001d\u001f',
    '\b\t\n\f\r',
    '\u007f\u0080',
    '\u2028\u2029',
    '\ufeff',
    '\ufeffx',
    'x\ufeff',
  ],
  ...['\uffff', '\u{10ffff}', 'e\u0301', '👩‍👧', 'null', '=', "'", '\\u0000'],
]
const details = [
  ...[
    '1.10',
    '-0.0',
    '1e400',
    '1e-400',
    '"\ufeff"',
    'null',
    '[]',
    '{"é": 1, "z": 2}',
    '123456789012345678901234567890.0',
  ],
]
const addresses = ['192.0.2.1', '192.0.2.1/24', '0.0.0.0/0', '::', '::ffff:192.0.2.1', '2001:db8::1/64']

it('an archive has any text, number and address as it was sealed, and brings it back', async () => {
  const db = await createPartitioned()
  await db.sql(`SELECT audit_logs_internal.create_partitions('audit_logs', 1, now() - interval '3 months')`)
  const insert = `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type, resource_id, reason, user_agent, details, ip)
    VALUES (gen_random_uuid(), date_trunc('month', now()) - interval '2 months' + interval '1 microsecond', 'x.y', 'x', 'user', 'x', $1::text, $1::text, $1::text, $2, $3)`
  for (const text of texts) await db.sql(insert, [text, null, null])
  for (const value of details) await db.sql(insert, ['x', value, null])
  for (const address of addresses) await db.sql(insert, ['x', null, address])
  await untilReadable(db)
  const signer = await signerOf(newKey())
  await sealAll(logOf(db), signer)
  const { archive } = await temporaryArchive()
  await maintainBy(db, { default: '1 month', archive })
  const count = texts.length + details.length + addresses.length
  const verify = () =>
    verifyLog(
      { ...logOf(db), archive: archivedLog(archive, { name: 'audit_logs' }, logOf(db).connection) },
      { keys: signer.keys, origin },
    )
  expect(await verify()).toMatchObject({ ok: true, entries: count, archived: count })
  const [month] = await db.sql<{ month: string }>(
    `SELECT to_char(lower AT TIME ZONE 'UTC', 'YYYY-MM') AS month FROM audit_logs_internal.archives WHERE entries > 0`,
  )
  expect(await restoreMonth(ownedLogOf(db), archive, month?.month ?? '')).toBe(count)
  const back = await verify()
  expect(back).toMatchObject({ ok: true, entries: count })
  expect(back).not.toHaveProperty('archived')
})
