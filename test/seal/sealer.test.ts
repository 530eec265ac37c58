import { describe, expect, it } from 'vitest'
import type { ReaderLog } from '../../src/reader/reader-log.ts'
import { parseCheckpoint } from '../../src/seal/checkpoint.ts'
import { isSignedBy, parseVerifierKey } from '../../src/seal/keys.ts'
import { parseNote } from '../../src/seal/note.ts'
import { Sealer } from '../../src/seal/sealer.ts'
import { hashOfLeaf, RightEdge } from '../../src/seal/tree.ts'
import { logOf, untilReadable, write } from '../reader/readers.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { headOf, leavesOf, newKey, origin, sealAll, signerOf } from './seals.ts'

async function writeMany({ pool }: Database, count: number): Promise<void> {
  await pool.query(
    `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
     SELECT gen_random_uuid(), 'a.' || n, 'ada', 'user', 'test' FROM generate_series(1, $1::int) AS n`,
    [count],
  )
}

/** The newest checkpoint is of exactly these leaves, and signed. */
async function expectSealed(database: Database, log: ReaderLog, publicKey: string): Promise<void> {
  const leaves = await leavesOf(database, log)
  const edge = new RightEdge()
  for (const { leaf } of leaves) edge.append(hashOfLeaf(leaf))
  const head = await headOf(database)
  const note = parseNote(head.note)
  if (!note) throw new Error('a checkpoint is a note')
  expect(isSignedBy(note, parseVerifierKey(publicKey))).toBe(true)
  expect(parseCheckpoint(note.text)).toEqual({ origin, size: leaves.length, root: edge.root() })
  expect([head.size, head.root]).toEqual([leaves.length, edge.root()])
}

describe('sealing', () => {
  it('puts every entry into one leaf, in the order of readers, and goes on where it was', async () => {
    const database = await createDatabase()
    const log = logOf(database)
    const key = newKey()
    const sealer = new Sealer(log, await signerOf(key))
    expect(await sealer.step()).toEqual({ added: undefined, isMore: false })
    for (const count of [1, 254, 1, 300, 700]) {
      await writeMany(database, count)
      await untilReadable(database)
      await sealAll(log, await signerOf(key), 500)
      await expectSealed(database, log, key.publicKey)
    }
    const rows = await database.sql<{ id: string }>(
      `SELECT replace(id::text, '-', '') AS id FROM audit_logs ORDER BY transaction_id, seq`,
    )
    expect((await leavesOf(database, log)).map(({ id }) => id)).toEqual(rows.map(({ id }) => id))
    expect(
      await database.sql('SELECT level, index FROM audit_logs_internal.seal_nodes ORDER BY 1, 2'),
    ).toEqual([0, 1, 2, 3].map((index) => ({ level: 1, index: String(index) })))
    expect(await database.sql('SELECT name, era, highest_seq FROM audit_logs_internal.consumers')).toEqual([
      { name: 'seal:log', era: 1, highest_seq: '1256' },
    ])
  })

  it('leaves out what an open transaction may still come before', async () => {
    const database = await createDatabase()
    const log = logOf(database)
    const key = newKey()
    const open = await database.pool.connect()
    await open.query('BEGIN')
    await write(open, 'early')
    await write(database.pool, 'late')
    await sealAll(log, await signerOf(key))
    expect(await leavesOf(database, log)).toEqual([])
    await open.query('COMMIT')
    open.release()
    await untilReadable(database)
    await sealAll(log, await signerOf(key))
    expect((await leavesOf(database, log)).map(({ seq }) => seq)).toEqual([1n, 2n])
  })

  it('by several at once adds each entry once', async () => {
    const database = await createDatabase()
    const key = newKey()
    const log = logOf(database)
    const signer = await signerOf(key)
    await writeMany(database, 3_000)
    await untilReadable(database)
    await Promise.all(Array.from({ length: 4 }, () => sealAll(log, signer, 100)))
    expect(await leavesOf(database, log)).toHaveLength(3_000)
    expect((await headOf(database)).number).toBe(30)
    await expectSealed(database, log, key.publicKey)
  })

  it('is whole whenever its process ends', async () => {
    const database = await createDatabase()
    const key = newKey()
    const signer = await signerOf(key)
    const log = logOf(database)
    await writeMany(database, 600)
    await untilReadable(database)
    for (let statements = 0; statements < 12; statements++) {
      let left = Math.floor(statements / 2)
      const dying: ReaderLog = {
        table: log.table,
        connection: {
          query: async (sql, ...values) => {
            const isLast = left-- === 0
            if (isLast && statements % 2 === 0) throw new Error('killed before the statement')
            const rows = await log.connection.query(sql, ...values)
            if (isLast) throw new Error('killed before its answer')
            return rows as never
          },
        },
      }
      await new Sealer(dying, signer).step(40).catch(() => {})
      if (statements === 11) await expectSealed(database, log, key.publicKey)
    }
    await sealAll(log, signer)
    expect(await leavesOf(database, log)).toHaveLength(600)
    await expectSealed(database, log, key.publicKey)
  })

  it('goes on with another key, once that knows the former one', async () => {
    const database = await createDatabase()
    const log = logOf(database)
    const [former, present] = [newKey(), newKey()]
    await write(database.pool, 'one')
    await untilReadable(database)
    await sealAll(log, await signerOf(former))
    await write(database.pool, 'two')
    await untilReadable(database)
    await expect(sealAll(log, await signerOf(present))).rejects.toMatchObject({
      code: 'AUDIT_SEALS_BROKEN',
      message: expect.stringContaining('formerKeys'),
    })
    await sealAll(log, await signerOf(present, [former.publicKey]))
    await expectSealed(database, log, present.publicKey)
  })

  it('seals logs of one name in one schema apart', async () => {
    const database = await createDatabase()
    const key = newKey()
    await write(database.pool, 'one')
    await untilReadable(database)
    await database.sql(`INSERT INTO audit_logs_internal.checkpoints (log, number, size, root, note, era, transaction_id, seq)
      VALUES ('other.audit_logs', 1, 5, '', '', 1, 1, 1)`)
    await sealAll(logOf(database), await signerOf(key))
    expect(await leavesOf(database, logOf(database))).toHaveLength(1)
  })
})

describe('nothing is signed', () => {
  const broken = { code: 'AUDIT_SEALS_BROKEN' }

  async function sealedLog() {
    const database = await createDatabase()
    const log = logOf(database)
    const key = newKey()
    const sealer = new Sealer(log, await signerOf(key))
    await writeMany(database, 300)
    await untilReadable(database)
    await sealer.step()
    await writeMany(database, 1)
    await untilReadable(database)
    const tamper = (sql: string) =>
      database.sql(`ALTER TABLE audit_logs_internal.checkpoints DISABLE TRIGGER ALL;
        ALTER TABLE audit_logs_internal.sealed_leaves DISABLE TRIGGER ALL;
        ALTER TABLE audit_logs_internal.seal_nodes DISABLE TRIGGER ALL; ${sql}`)
    return { database, log, key, sealer, tamper }
  }

  it.each([
    [
      'a leaf',
      `UPDATE audit_logs_internal.sealed_leaves SET leaves = set_byte(leaves, 30, 255 - get_byte(leaves, 30)) WHERE first_leaf = 256`,
    ],
    ['a node', `UPDATE audit_logs_internal.seal_nodes SET hash = set_byte(hash, 3, 255 - get_byte(hash, 3))`],
    ['a missing node', `DELETE FROM audit_logs_internal.seal_nodes`],
    ['the size', `UPDATE audit_logs_internal.checkpoints SET size = 299`],
    [
      'the root',
      `UPDATE audit_logs_internal.checkpoints SET root = set_byte(root, 3, 255 - get_byte(root, 3))`,
    ],
    ['the note', `UPDATE audit_logs_internal.checkpoints SET note = replace(note, '300', '301')`],
  ])('where %s was altered', async (_, sql) => {
    const { database, log, key, tamper } = await sealedLog()
    await tamper(sql)
    await expect(sealAll(log, await signerOf(key))).rejects.toMatchObject(broken)
    expect((await headOf(database)).number).toBe(1)
  })

  it('where a checkpoint that was signed is gone, as long as the process lives', async () => {
    const { sealer, tamper } = await sealedLog()
    await tamper(`DELETE FROM audit_logs_internal.checkpoints; DELETE FROM audit_logs_internal.sealed_leaves;
      DELETE FROM audit_logs_internal.seal_nodes`)
    await expect(sealer.step()).rejects.toMatchObject(broken)
  })

  it('where leaves are there that no checkpoint covers', async () => {
    const { database, log, key } = await sealedLog()
    await database.sql(`INSERT INTO audit_logs_internal.sealed_leaves (log, first_leaf, entries, leaves, era, transaction_id, seq)
      VALUES ('public.audit_logs', 300, 1, '', 9, 1, 1)`)
    await expect(sealAll(log, await signerOf(key))).rejects.toMatchObject(broken)
  })

  it('where the log has another name than its checkpoints', async () => {
    const { log, key } = await sealedLog()
    const signer = { ...(await signerOf(key)), origin: 'example.com/other' }
    await expect(sealAll(log, signer)).rejects.toMatchObject(broken)
  })
})

describe('seals', () => {
  it.each(['sealed_leaves', 'seal_salts', 'seal_nodes', 'checkpoints'])(
    'in %s can only be added',
    async (table) => {
      const database = await createDatabase()
      for (const change of [`UPDATE %s SET log = log`, 'DELETE FROM %s', 'TRUNCATE %s']) {
        const sql = change.replace('%s', `audit_logs_internal.${table}`)
        await expect(
          database.sql(`SET LOCAL session_replication_role = replica; ${sql}`),
        ).rejects.toMatchObject({
          code: 'ZA006',
        })
      }
    },
  )
})
