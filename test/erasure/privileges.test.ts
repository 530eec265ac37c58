import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createPartitioned } from '../partitions/partitioned.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { refusal } from '../support/errors.ts'

const role = `audit_test_${randomBytes(6).toString('hex')}`

describe.each([
  ['a log', () => createDatabase()],
  ['a partitioned log', () => createPartitioned()],
])('%s', async (_, create) => {
  const db = await create()
  const url = new URL(db.url)
  const login = `${role}_${_.length}`
  await db.sql(
    `CREATE ROLE ${login} LOGIN PASSWORD 'x'; GRANT SELECT, INSERT, UPDATE ON audit_logs TO ${login}`,
  )
  url.username = login
  url.password = 'x'
  const partition = (
    await db.sql<{ name: string }>(`SELECT inhrelid::regclass::text AS name FROM pg_inherits
      WHERE inhparent = 'audit_logs'::regclass ORDER BY 1 LIMIT 1`)
  )[0]?.name
  afterAll(async () => {
    await db.sql(`DROP OWNED BY ${login}; DROP ROLE ${login}`)
  })

  const write = async (reason = 'a secret') => {
    const [row] = await db.sql<{ id: string }>(
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, reason)
       VALUES (gen_random_uuid(), 'x.y', 'ada', 'user', 'x', $1) RETURNING id`,
      [reason],
    )
    return row?.id ?? ''
  }
  const reasonOf = async (id: string) =>
    (await db.sql<{ reason: string }>('SELECT reason FROM audit_logs WHERE id = $1', [id]))[0]?.reason

  it('lets a role erase once it is granted to, and not before', async () => {
    const id = await write()
    const prisma = withAudit(createClient(url.href))
    const error = await refusal(() => prisma.$audit.erase([id], { reason: 'x' }))
    expect([error.code, error.message]).toEqual([
      'AUDIT_ERASE_REFUSED',
      'Nothing was erased from the audit log "audit_logs": the role may not execute the function "audit_logs_erase". GRANT EXECUTE on it to the role that is to erase, and to no other.',
    ])
    expect(await reasonOf(id)).toBe('a secret')
    await db.sql(`GRANT EXECUTE ON FUNCTION audit_logs_erase TO ${login}`)
    const { entryIds } = await prisma.$audit.erase([id], { reason: 'x' })
    expect(await reasonOf(id)).toBe('[erased]')
    const [told] = await db.sql<{ details: { source: { role: string } } }>(
      'SELECT details FROM audit_logs WHERE id = $1',
      entryIds as string[],
    )
    expect(told?.details.source.role).toBe(login)
    // and still nothing else
    const client = new pg.Client(url.href)
    await client.connect()
    await expect(client.query(`UPDATE audit_logs SET reason = 'x' WHERE id = '${id}'`)).rejects.toMatchObject(
      {
        code: 'ZA001',
      },
    )
    await expect(client.query('SELECT FROM audit_logs_internal.erasing')).rejects.toMatchObject({
      code: '42501',
    })
    await client.end()
  })

  const transaction = '(pg_current_xact_id()::text)::bigint'
  const listed = `INSERT INTO audit_logs_internal.erasing (log, transaction_id, id, seq, actor_id, is_changed, entry, hash)
    SELECT 'public.audit_logs', ${transaction}, id, seq, 'forged', true, '00000000-0000-4000-8000-000000000001', 'x'
    FROM audit_logs WHERE id = $id`
  const told = `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, details)
    SELECT '00000000-0000-4000-8000-000000000001', 'auditLog.erase', 'x', 'user', 'auditLog', jsonb_build_object('erased', jsonb_build_object($id::text, 'x'))`
  const change = (table: string) => `UPDATE ${table} SET reason = 'forged' WHERE id = $id`

  it.each([
    ['an UPDATE by itself', [change('audit_logs')]],
    ['one of no row', [`UPDATE audit_logs SET reason = 'forged' WHERE false`]],
    ['one as a replica', [`SET LOCAL session_replication_role = replica`, change('audit_logs')]],
    ['one that is listed, without an entry that tells of it', [listed, change('audit_logs')]],
    ['one that is told, and another than was told', [told, listed, change('audit_logs')]],
    ['a DELETE of what is listed and told', [told, listed, 'DELETE FROM audit_logs WHERE id = $id']],
    ['a change of an action', [told, listed, `UPDATE audit_logs SET action = 'x.z' WHERE id = $id`]],
    ['a change of salts', [`UPDATE audit_logs_internal.seal_salts SET salts = ''`], 'ZA006'],
    ['a DELETE of salts', [`DELETE FROM audit_logs_internal.seal_salts`], 'ZA006'],
    ...(partition === undefined
      ? []
      : ([
          ['an UPDATE of a partition', [change(partition)]],
          ['one of a partition that is told', [told, listed, change(partition)]],
          [
            'one of a partition as a replica',
            ['SET LOCAL session_replication_role = replica', told, listed, change(partition)],
          ],
        ] as const)),
  ] as [string, string[], string?][])(
    'refuses, by a superuser who owns it: %s',
    async (__, statements, code = 'ZA001') => {
      const id = await write()
      const client = await db.pool.connect()
      await client.query('BEGIN')
      const all = statements.map((statement) => statement.replaceAll('$id', `'${id}'`))
      for (const statement of all.slice(0, -1)) await client.query(statement)
      const last = client.query(all.at(-1) ?? '')
      await expect(last).rejects.toMatchObject({ code })
      await client.query('ROLLBACK')
      client.release()
      expect(await reasonOf(id)).toBe('a secret')
    },
  )

  it('erases while others write, and one erasure waits for another', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => write()))
    const prisma = withAudit(createClient(db.url))
    const [first, second, ...written] = await Promise.all([
      prisma.$audit.erase(ids, { reason: 'x' }),
      prisma.$audit.erase(ids, { reason: 'x' }),
      ...Array.from({ length: 20 }, () => write('kept')),
    ])
    expect([first.erased, second.erased].sort((a, b) => a - b)).toEqual([0, 20])
    for (const id of ids) expect(await reasonOf(id)).toBe('[erased]')
    for (const id of written) expect(await reasonOf(id)).toBe('kept')
    expect(await db.sql('SELECT * FROM audit_logs_internal.erasing')).toEqual([])
  })
})
