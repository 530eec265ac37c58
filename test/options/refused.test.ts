import { describe, expect, it } from 'vitest'
import { AuditError, type AuditOptions, withAudit } from '../../src/index.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'

const db = await createDatabase()

describe('options that cannot be used are refused, with what they may be', () => {
  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { redactt: {} }, /redactt/],
    ['an unknown model in include', { models: { include: ['Usr'] } }, /"Usr".*Its models are .*User/],
    ['a table instead of a model', { models: { exclude: ['users'] } }, /"users"/],
    ["a client's property instead of a model", { models: { exclude: ['user'] } }, /"user"/],
    ['include and exclude at once', { models: { include: [], exclude: [] } }, /models/],
    ['models as a list', { models: ['User'] }, /models/],
    ['an unknown model in redact', { redact: { Usr: ['name'] } }, /redact.*"Usr"/],
    ['an unknown field in redact', { redact: { User: ['nam'] } }, /redact.*"nam" of User/],
    [
      'a column instead of a field in redact',
      { redact: { User: ['password_hash'] } },
      /"password_hash" of User/,
    ],
    ["another model's field in redact", { redact: { User: ['title'] } }, /"title" of User/],
    ['a relation in redact', { redact: { User: ['posts'] } }, /"posts" of User.*scalar/],
    ["an unknown field under '*'", { redact: { '*': ['nam'] } }, /"nam" of any model/],
    ['an unknown field in ignore', { ignore: { User: ['updated'] } }, /ignore.*"updated" of User/],
    ['an unknown model in reads', { reads: ['Nobody'] }, /reads.*"Nobody"/],
    ['an unknown snapshot', { snapshot: 'diff' }, /"full"\|"changed"/],
    ['an unknown uncapturable', { uncapturable: 'ignore' }, /"record"\|"throw"/],
    ['a context that is no function', { context: { actor: {} } }, /context/],
    ['an onError that is no function', { onError: true }, /onError/],
    ['an actor without an id', { actor: { type: 'user' } }, /actor\.id/],
    ['an actor of an unknown type', { actor: { id: 'x', type: 'robot' } }, /"user"\|"system"\|"api_key"/],
    ['a redactSecrets that is no boolean', { redactSecrets: 'no' }, /redactSecrets/],
    ['an empty table', { table: '' }, /table/],
    ['a table of three parts', { table: 'a.b.c' }, /"name" or "schema\.name"/],
    ['a table with a space and no quotes', { table: 'audit log' }, /double quotes/],
    ['a table with an open quote', { table: '"audit' }, /"name" or "schema\.name"/],
    ['a table with SQL in it', { table: 'x"; DROP TABLE users; --' }, /"name" or "schema\.name"/],
    ['a table longer than 63 bytes', { table: 'é'.repeat(32) }, /63 bytes/],
    ['no options object', 'audit_logs', /options/],
  ])('%s', (_, options, message) => {
    const wrap = () => withAudit(createClient(db.url), options as AuditOptions<PrismaClient>)
    expect(wrap).toThrow(AuditError)
    expect(wrap).toThrow(message)
    expect(wrap).toThrow(expect.objectContaining({ code: 'AUDIT_INVALID_OPTIONS' }))
  })

  it('a client whose options were refused can still be wrapped, and is not audited until then', async () => {
    const client = createClient(db.url)
    expect(() => withAudit(client, { table: '' })).toThrow(AuditError)
    const since = await db.lastSeq()
    const prisma = withAudit(client)
    await prisma.tag.create({ data: { name: unique('tag') } })
    expect((await db.entries(since)).map((entry) => entry.action)).toEqual(['tag.create'])
  })
})
