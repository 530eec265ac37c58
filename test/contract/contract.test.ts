import { describe, expect, it } from 'vitest'
import { auditErrorCodes } from '../../src/errors.ts'
import { requestContext } from '../../src/http/request-context.ts'
import { type AuditEntry, type AuditPage, withAudit, withAuditContext } from '../../src/index.ts'
import { secretNames } from '../../src/secret-names.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { refusal } from '../support/errors.ts'
import { contract, untagged, wholeRow } from './contract.ts'

// python/tests/test_contract.py reads the same cases
const db = await createDatabase()
const prisma = withAudit(createClient(db.url))
const audit = prisma.$audit as unknown as Record<string, (...parameters: unknown[]) => Promise<unknown>>

/** An entry as text, without what is different each time: JSON as jsonb prints it. */
async function rowText(entry: AuditEntry): Promise<string> {
  const [row] = await db.sql<{ text: string }>(
    `SELECT (to_jsonb(l) - ARRAY['id', 'timestamp', 'seq', 'transaction_id'])::text AS text
     FROM audit_logs AS l WHERE id = $1`,
    [entry.id],
  )
  return row?.text ?? ''
}

async function jsonText(json: unknown): Promise<string> {
  const [row] = await db.sql<{ text: string }>('SELECT $1::jsonb::text AS text', [JSON.stringify(json)])
  return row?.text ?? ''
}

async function expectOutcome(
  work: () => Promise<unknown>,
  { context = {}, row, refused }: { context?: object; row?: object; refused?: object },
): Promise<void> {
  const attempt = () => withAuditContext(context, work)
  if (refused) {
    const { code, message } = await refusal(attempt)
    expect({ code, message }).toEqual(refused)
  } else {
    expect(await rowText((await attempt()) as AuditEntry)).toBe(
      await jsonText(wholeRow(row as Record<string, unknown>)),
    )
  }
}

describe('events', () => {
  it.each(contract.events)('$name', async ({ record, ...outcome }) => {
    await expectOutcome(async () => audit.record?.(record), outcome)
  })
})

describe('changes', async () => {
  await db.sql(`SELECT audit_logs_watch('"public"."users"', 'user')`)
  const { id } = await prisma.user.create({ data: { email: 'ada@example.com' } })

  it.each(contract.changes)('$name', async ({ name, context = {}, row }) => {
    await withAuditContext(context, async () => prisma.user.update({ where: { id }, data: { name } }))
    const [entry] = await db.sql<{ text: string }>(
      `SELECT (to_jsonb(l) - ARRAY['id', 'timestamp', 'seq', 'transaction_id'] || jsonb_build_object(
         'details', details - ARRAY['before', 'after', 'changed', 'operation']))::text AS text
       FROM audit_logs AS l ORDER BY seq DESC LIMIT 1`,
    )
    const change = { action: 'user.update', resource_type: 'user', resource_id: String(id), details: {} }
    expect(entry?.text).toBe(await jsonText(wholeRow({ ...change, ...row })))
  })
})

describe('helpers', () => {
  it.each(contract.helpers)('$name', async ({ call: [helper, ...parameters], ...outcome }) => {
    await expectOutcome(async () => audit[helper]?.(...parameters), outcome)
  })
})

describe('values', () => {
  it.each(contract.values)('$name', async ({ value, json, refused }) => {
    const record = () => prisma.$audit.record({ action: 'a.b', details: { value: untagged(value) } })
    if (refused === undefined) {
      const [row] = await db.sql<{ text: string }>(
        'SELECT details::text AS text FROM audit_logs WHERE id = $1',
        [(await record()).id],
      )
      expect(row?.text).toBe(await jsonText({ value: untagged(json) }))
    } else {
      expect(await refusal(record)).toMatchObject({
        code: 'AUDIT_INVALID_EVENT',
        message: `The event can't be stored: ${refused}. Nothing was written. Leave it out, or give it as text.`,
      })
    }
  })
})

describe('requests', () => {
  it.each(contract.requests)('$name', ({ headers, peer, context }) => {
    const parts = { header: (name: string) => headers[name], ip: peer ?? undefined }
    const known = requestContext({}, parts).source() as Record<string, unknown>
    for (const [name, expected] of Object.entries(context)) {
      if (typeof expected === 'object' && expected !== null && '$new' in expected) {
        expect(known[name]).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
      } else expect(known[name] ?? null).toEqual(expected)
    }
  })
})

describe('questions', async () => {
  const other = await createDatabase()
  const { $audit } = withAudit(createClient(other.url))
  const ask = $audit as unknown as Record<string, (...parameters: unknown[]) => Promise<AuditPage>>
  await other.sql(
    `INSERT INTO audit_logs OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_recordset(NULL::audit_logs, $1)`,
    [JSON.stringify(contract.log)],
  )

  it.each(contract.questions)('$ask', async ({ ask: [helper, ...parameters], limit, ...expected }) => {
    const page = await ask[helper]?.(...parameters, { limit })
    const next = await ask[helper]?.(...parameters, { limit, cursor: page?.nextCursor ?? undefined })
    const ids = (answer: AuditPage | undefined) => answer?.entries.map(({ id }) => id)
    expect({
      ids: ids(page),
      cursor: page?.nextCursor,
      next: page?.nextCursor === null ? [] : ids(next),
    }).toEqual(expected)
  })
})

it('names', () => {
  expect(Object.keys(auditErrorCodes)).toEqual(expect.arrayContaining(contract.errorCodes))
  expect([...secretNames].sort()).toEqual(contract.secretNames)
})
