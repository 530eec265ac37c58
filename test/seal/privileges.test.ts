import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, expect, it } from 'vitest'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { proveEntry } from '../../src/seal/proof.ts'
import { readLastVerification, storeVerification } from '../../src/seal/verify/stored-verification.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { logOf, untilReadable, write } from '../reader/readers.ts'
import { createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { newKey, origin, sealAll, signerOf } from './seals.ts'

const database = await createDatabase()
const role = unique('sealer').replaceAll('-', '_')
await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
const url = new URL(database.url)
url.username = role
url.password = 'secret'
const pool = new pg.Pool({ connectionString: url.toString() })
afterAll(async () => {
  await pool.end()
  await database.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})

it('a role with the documented grants can seal, verify and prove, and change nothing', async () => {
  const document = await readFile('docs/privileges.md', 'utf8')
  for (const heading of ['A role that reads on', 'A role that seals']) {
    const [, section = ''] = new RegExp(`## ${heading}\\n([\\s\\S]*?)\\n## `).exec(document) ?? []
    for (const [, grants = ''] of section.matchAll(/```sql\n([\s\S]*?)```/g)) {
      await database.sql(grants.replaceAll(/TO (?:reader|sealer|verifier)/g, `TO ${role}`))
    }
  }
  const log = logOf({ ...database, pool })
  const key = newKey()
  await write(database.pool, 'one')
  await untilReadable(database)
  await sealAll(log, await signerOf(key))
  const found = await verifyLog(log, { keys: [parseVerifierKey(key.publicKey)], origin })
  expect(found).toMatchObject({ ok: true, entries: 1 })
  await storeVerification(log.connection, log.table, found, 1)
  expect(await readLastVerification(log.connection, log.table)).toMatchObject({ result: 'intact', role })
  // nobody stores a result under another name
  await expect(
    pool.query(`INSERT INTO audit_logs_internal.verifications
      (log, began_at, ended_at, size, entries, findings, result, role)
      VALUES ('public.audit_logs', now(), now(), 1, 1, 0, 'intact', 'auditor')`),
  ).rejects.toMatchObject({ code: '42501' })
  const [entry] = await database.sql<{ id: string }>('SELECT id FROM audit_logs')
  expect((await proveEntry(log, entry?.id ?? '')).entry.action).toBe('one')
  for (const table of ['sealed_leaves', 'seal_salts', 'seal_nodes', 'checkpoints', 'verifications']) {
    const change = `DELETE FROM audit_logs_internal.${table}`
    await expect(pool.query(change)).rejects.toMatchObject({ code: '42501' })
  }
})
