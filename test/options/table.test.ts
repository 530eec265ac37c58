import { describe, expect, it } from 'vitest'
import { AuditError, type AuditOptions, withAudit } from '../../src/index.ts'
import { parseTableName } from '../../src/postgres/identifiers.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { logSql } from '../support/migration.ts'
import { unique } from '../support/unique.ts'

const db = await createDatabase()
const audited = (options: AuditOptions<PrismaClient>) => withAudit(createClient(db.url), options)
const plain = createClient(db.url)

describe('table', () => {
  it.each([
    ['audit.log', '"audit"."log"'],
    ['"Audit Trail"."The.Log"', '"Audit Trail"."The.Log"'],
    ['"with ""quotes"""', '"with ""quotes"""'],
    [String.raw`"it's a \ log"`, String.raw`"it's a \ log"`],
    ['Trail', '"Trail"'],
  ])('writes to %s', async (table, quoted) => {
    await db.sql(await logSql(parseTableName(table)))
    const prisma = audited({ table })
    const name = unique('tag')
    const elsewhere = await db.changesOf(async () => {
      await prisma.$audit.verify()
      await prisma.tag.create({ data: { name } })
      await prisma.$executeRaw`TRUNCATE "Reading"`
      await prisma.$executeRawUnsafe(
        `INSERT INTO ${quoted} (id, action, actor_id, actor_type, resource_type) VALUES (gen_random_uuid(), 'own.entry', 'x', 'user', 'own')`,
      )
    })
    expect(elsewhere).toEqual([])
    const entries = await db.sql(
      `SELECT action, details -> 'after' ->> 'name' AS name FROM ${quoted} ORDER BY seq`,
    )
    expect(entries).toEqual([
      { action: 'tag.create', name },
      { action: 'raw.execute', name: null },
      { action: 'own.entry', name: null },
    ])
    await expect(db.sql(`DELETE FROM ${quoted}`)).rejects.toMatchObject({ code: 'ZA001' })
  })

  it('without a schema is the one that the connection finds first', async () => {
    await db.sql('CREATE SCHEMA first')
    await db.sql(await logSql({ schema: 'first', name: 'audit_logs' }))
    const url = new URL(db.url)
    url.searchParams.set('options', '-c search_path=first,public')
    const prisma = withAudit(createClient(url.toString()))
    const elsewhere = await db.changesOf(() => prisma.tag.create({ data: { name: unique('tag') } }))
    expect(elsewhere).toEqual([])
    expect(await db.sql('SELECT action FROM first.audit_logs')).toEqual([{ action: 'tag.create' }])
  })

  it('that is not there is an error with the fix, and nothing is written', async () => {
    const prisma = audited({ table: 'nowhere.log' })
    const name = unique('tag')
    const error = await prisma.tag.create({ data: { name } }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(AuditError)
    expect(error).toMatchObject({ code: 'AUDIT_TABLE_MISSING' })
    expect((error as AuditError).message).toMatch(/"nowhere"\."log".*migrate deploy/)
    expect(await plain.tag.findUnique({ where: { name } })).toBeNull()
  })
})
