import { describe, expect, it, onTestFinished } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { storeVerification } from '../../src/seal/verify/stored-verification.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { auditPage } from '../../src/ui/index.ts'
import type { WireIntegrity, WireOverview, WireSeal } from '../../src/ui/wire.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { newKey, origin, sealAll, signerOf } from '../seal/seals.ts'
import { createClient, createDatabase, type Database } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { hasBrowser, inBrowser, violations } from './browser.ts'
import { minute } from './entries.ts'

const key = newKey()
const id = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`
const nothing: WireIntegrity = {
  checkpoints: [],
  waiting: { entries: 0, seconds: 0 },
  verification: null,
}

/** Entries of `ada`, each of the organization `acme`. */
async function add({ sql }: Pick<Database, 'sql'>, ...numbers: number[]): Promise<void> {
  for (const n of numbers) {
    await sql(
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, resource_id, reason, organization_id)
       VALUES ($1::uuid, 'order.update', 'ada', 'user', 'order', $2, 'as Ada asked', 'acme')`,
      [id(n), String(n)],
    )
  }
}

async function seal(database: Database, limit?: number): Promise<void> {
  await untilReadable(database)
  await sealAll(logOf(database), await signerOf(key), limit)
}

/** What the command `verify` does. */
async function verify(database: Database, signal = new AbortController().signal): Promise<void> {
  const log = logOf(database)
  const found = await verifyLog(log, { keys: [parseVerifierKey(key.publicKey)], origin, signal })
  await storeVerification(log.connection, log.table, found, 0.5)
}

/** What a superuser does who switches the triggers off. */
async function tamper({ sql }: Database, change: string): Promise<void> {
  const tables = [
    'audit_logs',
    ...['sealed_leaves', 'seal_salts', 'seal_nodes'].map((name) => `audit_logs_internal.${name}`),
  ]
  const disabled = tables.map((table) => `ALTER TABLE ${table} DISABLE TRIGGER ALL;`)
  await sql(`${disabled.join(' ')} ${change}`)
}

function asking(source: Parameters<typeof auditPage>[0], options?: Parameters<typeof auditPage>[1]) {
  const page = auditPage(source, options)
  return async <Answer>(path: string): Promise<Answer> =>
    (await (await page(new Request(`http://localhost/api/${path}`))).json()) as Answer
}

describe('what a page says of the seals', () => {
  const sealed = (checkpoint: number, isErased = false): WireSeal => ({
    state: 'sealed',
    checkpoint,
    isErased,
  })
  const other = (state: WireSeal['state']): WireSeal => ({ state, checkpoint: null, isErased: false })

  it('is nothing on a log that nobody seals, and without the migration', async () => {
    const database = await createDatabase()
    await add(database, 1)
    const ask = asking(withAudit(createClient(database.url)))
    const expectNothing = async () => {
      expect(await ask<WireOverview>('overview')).toMatchObject({ hasSeals: false })
      expect(await ask('integrity')).toEqual(nothing)
      expect(await ask(`seals/${id(1)}`)).toBeNull()
    }
    await expectNothing()
    await database.sql('DROP TABLE audit_logs_internal.checkpoints')
    await expectNothing()
    await database.sql('DROP SCHEMA audit_logs_internal CASCADE')
    await expectNothing()
  })

  it('is the checkpoint of each entry, the newest ones, and what waits', async () => {
    const database = await createDatabase()
    await add(database, 1, 2, 3)
    await seal(database, 2)
    await add(database, 4)
    const ask = asking(withAudit(createClient(database.url)))
    expect(await ask<WireOverview>('overview')).toMatchObject({ hasSeals: true })
    expect(await ask('integrity')).toEqual({
      checkpoints: [
        { number: 2, size: 3, createdAt: expect.stringMatching(/^20\d\d-.*Z$/), keys: [origin] },
        { number: 1, size: 2, createdAt: expect.stringMatching(/^20\d\d-.*Z$/), keys: [origin] },
      ],
      waiting: { entries: 1, seconds: expect.any(Number) },
      verification: null,
    })
    const states = await Promise.all([1, 2, 3, 4].map((n) => ask(`seals/${id(n)}`)))
    expect(states).toEqual([sealed(1), sealed(1), sealed(2), other('waiting')])
    expect(await ask(`seals/${id(9)}`)).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(await ask('seals/none')).toMatchObject({ error: { message: 'The id of an entry is a UUID.' } })
    expect(await ask('seals')).toMatchObject({ error: { code: 'NOT_FOUND' } })
    await seal(database)
    expect(await ask(`seals/${id(4)}`)).toEqual(sealed(3))
  })

  it('is what verify stored last, and how many entries were sealed since', async () => {
    const database = await createDatabase()
    await add(database, 1, 2)
    await seal(database)
    const ask = asking(withAudit(createClient(database.url)))
    await verify(database)
    await add(database, 3)
    await seal(database)
    const { verification } = await ask<WireIntegrity>('integrity')
    expect(verification).toEqual({
      endedAt: expect.stringMatching(/^20\d\d-.*Z$/),
      ...{ result: 'intact', size: 2, entries: 2, findings: 0, anchored: null },
      ...{ role: new URL(database.url).username, sealedSince: 1 },
    })
    await verify(database, AbortSignal.abort())
    expect(await ask('integrity')).toMatchObject({
      verification: { result: 'stopped', size: 0, entries: 0, findings: 0, sealedSince: 3 },
    })
    await database.sql('DROP TABLE audit_logs_internal.verifications')
    expect(await ask('integrity')).toMatchObject({ checkpoints: [{}, {}], verification: null })
  })

  it.each([
    ['its values were changed', `UPDATE audit_logs SET reason = 'as Eve asked' WHERE id = '${id(2)}'`],
    [
      'its place was changed',
      `UPDATE audit_logs SET transaction_id = transaction_id - 1 WHERE id = '${id(2)}'`,
    ],
    [
      'its salt was changed',
      `UPDATE audit_logs_internal.seal_salts SET salts = set_byte(salts, 16, get_byte(salts, 16) # 1)`,
    ],
    [
      'its values and its leaf were changed',
      `UPDATE audit_logs_internal.sealed_leaves SET leaves = set_byte(leaves, 113, get_byte(leaves, 113) # 1)`,
    ],
    [
      'it says that it was erased, and nothing tells of that',
      `UPDATE audit_logs SET reason = '[erased]', details = '{"erasure": {"entry": "${id(1)}"}}' WHERE id = '${id(2)}'`,
    ],
    [
      'it was added among what is sealed',
      `DELETE FROM audit_logs WHERE id = '${id(2)}'; INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, seq, transaction_id)
       OVERRIDING SYSTEM VALUE SELECT '${id(2)}', 'a', 'eve', 'user', 'order', seq, transaction_id - 1 FROM audit_logs WHERE id = '${id(1)}'`,
    ],
  ])('is that an entry is broken: %s', async (_, change) => {
    const database = await createDatabase()
    await add(database, 1, 2, 3)
    await seal(database)
    const ask = asking(withAudit(createClient(database.url)))
    expect(await ask(`seals/${id(2)}`)).toEqual(sealed(1))
    await tamper(database, change)
    expect(await ask(`seals/${id(2)}`)).toEqual(other('broken'))
  })

  it('is that the proofs of all entries of a tree are broken whose leaf is gone', async () => {
    const database = await createDatabase()
    await add(database, ...Array.from({ length: 300 }, (_, n) => n + 1))
    await seal(database)
    await tamper(database, 'DELETE FROM audit_logs_internal.sealed_leaves WHERE first_leaf = 256')
    const ask = asking(withAudit(createClient(database.url)))
    expect(await ask(`seals/${id(1)}`)).toEqual(other('broken'))
  })

  it('is that values were erased, and that all still fits', async () => {
    const database = await createDatabase()
    const prisma = withAudit(createClient(database.url))
    await add(database, 1, 2)
    await seal(database)
    await prisma.$audit.erase([id(1)], { reason: 'request 17' })
    const ask = asking(prisma)
    expect(await ask(`seals/${id(1)}`)).toEqual(sealed(1, true))
    expect(await ask(`seals/${id(2)}`)).toEqual(sealed(1))
    await seal(database)
    expect(await ask(`seals/${id(1)}`)).toEqual(sealed(1, true))
  })

  it('is of the own entries only on a page with a fixed filter, and no number of a checkpoint', async () => {
    const database = await createDatabase()
    await add(database, 1, 2)
    await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, organization_id)
      VALUES ('${id(3)}', 'order.update', 'bob', 'user', 'order', 'globex')`)
    await seal(database)
    await add(database, 4)
    const ask = asking(withAudit(createClient(database.url)), { filter: { organizationId: 'acme' } })
    expect(await ask(`seals/${id(1)}`)).toEqual({ state: 'sealed', checkpoint: null, isErased: false })
    expect(await ask(`seals/${id(4)}`)).toEqual(other('waiting'))
    expect(await ask(`seals/${id(3)}`)).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(await ask(`seals/${id(3)}?organization=globex`)).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(await ask('integrity')).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(await ask('overview')).not.toHaveProperty('hasSeals')
  })

  it('is nothing for a role that may not read the seals', async () => {
    const database = await createDatabase()
    await add(database, 1)
    await seal(database)
    const role = unique('reader').replaceAll('-', '_')
    await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'; GRANT SELECT ON audit_logs TO ${role};
      GRANT USAGE ON SCHEMA audit_logs_internal TO ${role};
      GRANT SELECT ON ALL TABLES IN SCHEMA audit_logs_internal TO ${role};
      REVOKE SELECT ON audit_logs_internal.seal_salts FROM ${role}`)
    const url = new URL(database.url)
    url.username = role
    url.password = 'secret'
    const client = createClient(url.toString())
    onTestFinished(async () => {
      await client.$disconnect()
      await database.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    })
    const ask = asking(withAudit(client))
    expect(await ask<WireOverview>('overview')).toMatchObject({ hasSeals: false })
    expect(await ask('integrity')).toEqual(nothing)
    expect(await ask(`seals/${id(1)}`)).toBeNull()
    await database.sql(`GRANT SELECT ON audit_logs_internal.seal_salts TO ${role}`)
    expect(await ask(`seals/${id(1)}`)).toEqual(sealed(1))
    expect(await ask('integrity')).toMatchObject({ checkpoints: [{ number: 1 }] })
  })
})

describe.skipIf(!hasBrowser)('the seals on the page', () => {
  const test = inBrowser([{ at: minute(0), actor: { id: 'eve' } }])

  it('are not there where nobody seals', async () => {
    const page = await test.open()
    await page.locator('.row').first().click()
    await page.locator('.detail h2').waitFor()
    await page.getByText('entries', { exact: false }).first().waitFor()
    expect(await page.locator('.seal').count()).toBe(0)
    expect(await page.getByRole('link', { name: 'Integrity' }).count()).toBe(0)
    await page.goto(`${test.server.url}?view=integrity`)
    await page.getByText('The log is not sealed', { exact: false }).waitFor()
  })

  it('are the state of the open entry, and a view of the checkpoints', { timeout: 60_000 }, async () => {
    await add(test.database, 1, 2)
    await seal(test.database)
    await add(test.database, 3)
    const page = await test.open(`?entry=${id(1)}`)
    await page.locator('.seal').getByText('Sealed by checkpoint 1', { exact: true }).waitFor()
    expect(await violations(page)).toEqual([])
    await page.goto(`${test.server.url}?entry=${id(3)}`)
    await page.locator('.seal').getByText('Waiting to be sealed', { exact: true }).waitFor()
    await tamper(test.database, `UPDATE audit_logs SET actor_id = 'eve' WHERE id = '${id(2)}'`)
    await page.goto(`${test.server.url}?entry=${id(2)}`)
    await page.locator('.seal.is-broken').getByText('Broken', { exact: false }).waitFor()
    expect(await violations(page)).toEqual([])
    await page.getByRole('link', { name: 'Integrity' }).click()
    await expect.poll(() => page.title()).toMatch(/^Integrity · Audit log/)
    await page.getByText('1 entry waits to be sealed.', { exact: false }).waitFor()
    await page.getByText('npx prisma-extension-audit verify --key audit.pub').waitFor()
    await page.getByText('No result of a verification is stored.').waitFor()
    const cells = () => page.locator('.integrity tbody tr').first().locator('th, td').allTextContents()
    await expect.poll(() => cells()).toEqual(['1', '3', 'just now', origin])
    await expect.poll(() => page.locator('nav [aria-current=page]').textContent()).toBe('Integrity')
    expect(await violations(page)).toEqual([])
    await seal(test.database)
    await page.getByText('Every committed entry is sealed.').waitFor({ timeout: 15_000 })
    await expect.poll(() => cells()).toEqual(['2', '4', 'just now', origin])
    await verify(test.database)
    await page.reload()
    const verified = page.locator('.verification.is-altered')
    await verified.waitFor()
    expect((await verified.textContent())?.replaceAll(/\s+/g, ' ')).toBe(
      `Last verified just now by the role ${new URL(test.database.url).username}: 1 thing does not fit (4 of 4 sealed entries compared, without an anchor). 0 entries were sealed since. That is what the database has stored, and no proof.`,
    )
    expect(await violations(page)).toEqual([])
  })
})
