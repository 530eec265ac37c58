import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, expect, it } from 'vitest'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { proveEntry } from '../../src/seal/proof.ts'
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
    const [, grants = ''] =
      new RegExp(`## ${heading}[\\s\\S]*?\`\`\`sql\\n([\\s\\S]*?)\`\`\``).exec(document) ?? []
    await database.sql(grants.replaceAll(/TO (?:reader|sealer)/g, `TO ${role}`))
  }
  const log = logOf({ ...database, pool })
  const key = newKey()
  await write(database.pool, 'one')
  await untilReadable(database)
  await sealAll(log, await signerOf(key))
  expect(await verifyLog(log, { keys: [parseVerifierKey(key.publicKey)], origin })).toMatchObject({
    ...{ ok: true, entries: 1 },
  })
  const [entry] = await database.sql<{ id: string }>('SELECT id FROM audit_logs')
  expect((await proveEntry(log, entry?.id ?? '')).entry.action).toBe('one')
  for (const table of ['sealed_leaves', 'seal_salts', 'seal_nodes', 'checkpoints']) {
    const change = `DELETE FROM audit_logs_internal.${table}`
    await expect(pool.query(change)).rejects.toMatchObject({ code: '42501' })
  }
})
