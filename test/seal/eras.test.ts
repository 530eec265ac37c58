import { expect, it } from 'vitest'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { proveEntry } from '../../src/seal/proof.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { logOf, until, untilReadable, write } from '../reader/readers.ts'
import { createDatabase } from '../support/database.ts'
import { leavesOf, newKey, origin, sealAll, signerOf } from './seals.ts'

/** A log with three sealed entries in its first era, and two in its second. */
async function twoEras() {
  const database = await createDatabase()
  const log = logOf(database)
  const key = newKey()
  const signer = await signerOf(key)
  for (const action of ['a', 'b', 'c']) await write(database.pool, action)
  await untilReadable(database)
  await sealAll(log, signer)
  await database.sql('UPDATE audit_logs_internal.eras SET timeline = timeline - 1')
  for (const action of ['d', 'e']) await write(database.pool, action)
  await until(async () => {
    await sealAll(log, signer)
    return (await leavesOf(database, log)).length === 5
  }, 'both eras should be sealed')
  const verify = () => verifyLog(log, { keys: [parseVerifierKey(key.publicKey)], origin })
  return { database, verify }
}

it('verify finds that the last era was taken away, and comes to its end', async () => {
  const { database, verify } = await twoEras()
  await write(database.pool, 'f')
  await database.sql('DELETE FROM audit_logs_internal.eras WHERE number = 2')
  const { findings, unsealed } = await verify()
  expect(findings.map(({ kind }) => kind)).toEqual(['checkpoint', 'leaf'])
  expect(unsealed.entries).toBe(1)
})

it('verify finds that the newest checkpoint is said to end in another era, and blames no entry', async () => {
  const { database, verify } = await twoEras()
  const [last] = await database.sql<{ number: string }>(
    'SELECT max(number) AS number FROM audit_logs_internal.checkpoints',
  )
  await database.sql(`ALTER TABLE audit_logs_internal.checkpoints DISABLE TRIGGER ALL;
    UPDATE audit_logs_internal.checkpoints SET era = 1 WHERE number = ${last?.number}`)
  expect((await verify()).findings).toMatchObject([
    {
      ...{ kind: 'checkpoint', checkpoint: Number(last?.number) },
      message: expect.stringContaining('is said to end in era 1, and by the table of eras its last entry'),
    },
  ])
})

it('a log in its second era is sealed on: each entry once, and all of it is verified', async () => {
  const database = await createDatabase()
  const log = logOf(database)
  const key = newKey()
  const signer = await signerOf(key)
  for (const action of ['a', 'b', 'c']) await write(database.pool, action)
  await untilReadable(database)
  await sealAll(log, signer, 2)
  await database.sql('UPDATE audit_logs_internal.eras SET timeline = timeline - 1')
  for (const action of ['d', 'e']) await write(database.pool, action)
  // the first era is over once no transaction runs that is older than the second, in any database of the cluster
  await until(async () => {
    await sealAll(log, signer)
    return (await leavesOf(database, log)).length === 5
  }, 'both eras should be sealed')
  expect((await leavesOf(database, log)).map(({ seq }) => seq)).toEqual([1n, 2n, 3n, 4n, 5n])
  expect(
    await database.sql('SELECT era, first_leaf FROM audit_logs_internal.sealed_leaves ORDER BY 2'),
  ).toEqual([
    ...[
      { era: 1, first_leaf: '0' },
      { era: 1, first_leaf: '2' },
      { era: 2, first_leaf: '3' },
    ],
  ])
  expect(await verifyLog(log, { keys: [parseVerifierKey(key.publicKey)], origin })).toMatchObject({
    ...{ ok: true, findings: [], entries: 5, unsealed: { entries: 0 } },
  })
  const [first, last] = await database.sql<{ id: string }>(
    'SELECT id FROM audit_logs WHERE seq IN (1, 5) ORDER BY seq',
  )
  expect((await proveEntry(log, first?.id ?? '')).proof).toContain('\nindex 0\n')
  expect((await proveEntry(log, last?.id ?? '')).proof).toContain('\nindex 4\n')
})
