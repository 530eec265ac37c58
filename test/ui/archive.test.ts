import { randomBytes } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { launchChromium } from '../../scripts/chromium.ts'
import type { MonthArchive } from '../../src/archive-contract.ts'
import { startWebPage } from '../../src/cli/ui.ts'
import { withAudit } from '../../src/index.ts'
import { retentionSchema } from '../../src/retention-schema.ts'
import { type AuditPageOptions, auditPage } from '../../src/ui/index.ts'
import type { WireActivity, WireEntry, WireLogins, WireOverview, WirePage } from '../../src/ui/wire.ts'
import { monthsAgo } from '../partitions/months-ago.ts'
import { createPartitioned, fillMonths } from '../partitions/partitioned.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { archiveOfFile, maintainBy, temporaryArchive } from '../retention/retained.ts'
import { threeYears } from '../retention/three-years.ts'
import { newKey, sealAll, signerOf } from '../seal/seals.ts'
import { createClient } from '../support/database.ts'
import { hasBrowser } from './browser.ts'
import { insertSamples, type Sample } from './entries.ts'
import { mine, queries, secret, theirs } from './foreign-queries.ts'

function asking(source: Parameters<typeof auditPage>[0], options: AuditPageOptions = {}) {
  const page = auditPage(source, options)
  const text = async (path: string) => {
    const response = await page(new Request(`http://localhost/api/${path}`))
    return { status: response.status, text: await response.text() }
  }
  const json = async <Answer>(path: string) => JSON.parse((await text(path)).text) as Answer
  return { text, json }
}

async function allPages(ask: ReturnType<typeof asking>, query: string, limit: number): Promise<WireEntry[]> {
  const entries: WireEntry[] = []
  let cursor = ''
  do {
    const page = await ask.json<WirePage>(`entries?${query}&limit=${limit}&cursor=${cursor}`)
    expect(page.entries.length).toBeLessThanOrEqual(limit)
    entries.push(...page.entries)
    cursor = page.nextCursor ?? ''
  } while (cursor !== '')
  return entries
}

const plain = (entries: readonly WireEntry[]) =>
  entries
    .filter(({ action }) => !action.startsWith('auditLog.'))
    .map(({ archivedIn: _, ...entry }) => ({ ...entry, details: JSON.parse(entry.details ?? 'null') }))
const randomText = (bytes: number) => randomBytes(bytes / 2).toString('hex')

describe('the page of three years, of which one is in the table', { timeout: 180_000 }, async () => {
  const db = await threeYears()
  const [long = ''] = await insertSamples(db, [
    {
      at: monthsAgo(20).toISOString(),
      action: 'note.create',
      details: { after: { text: randomText(40_000) }, operation: 'create' },
    },
  ])
  const { archive, directory } = await archiveOfFile()
  const policy = { default: '1 year', rules: [{ organization: 'held', hold: true as const }], archive }
  const prisma = withAudit(createClient(db.url), { retention: policy })
  const ask = asking(prisma)

  const questions = [
    ...[
      '',
      'action=report.*',
      'action=*.export',
      'resource=order',
      'resource=tag&id=1',
      'actor=actor-3',
      'resource=note',
    ],
    ...['organization=organization-2&outcome=failure', 'request=request-40', 'text=name+1'],
    ...[
      `from=${monthsAgo(20).toISOString()}&to=${monthsAgo(8).toISOString()}`,
      `from=${monthsAgo(37).toISOString()}&transaction=1000000020`,
    ],
  ]
  const before = new Map<string, WireEntry[]>()
  for (const query of questions) before.set(query, await allPages(ask, query, 500))
  const oldest = before.get('')?.at(-1) as WireEntry
  const opened = await ask.json<WireEntry>(`entries/${oldest.id}`)
  const exported = await ask.text('export?format=csv&resource=order')
  await maintainBy(db, policy)

  it.each(questions)('lists the same entries in the same order, by pages of any size: %s', async (query) => {
    const was = before.get(query) ?? []
    expect(was.length).toBeGreaterThan(0)
    for (const limit of [7, 100, 500]) {
      if (limit === 7 && was.length > 400) continue
      const entries = await allPages(ask, query, limit)
      expect(plain(entries)).toEqual(plain(was))
      expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length)
    }
  })

  it('goes from the table to the archive at any boundary between two pages', async () => {
    const entries = await allPages(ask, 'resource=tag&id=1', 100)
    const first = entries.findIndex(({ archivedIn }) => archivedIn !== undefined)
    expect(first).toBeGreaterThan(5)
    // the newest that is archived, the last of the table, and what is held behind both
    expect(entries.at(-1)).not.toHaveProperty('archivedIn')
    for (const limit of [first - 1, first, first + 1]) {
      const one = await ask.json<WirePage>(`entries?resource=tag&id=1&limit=${limit}`)
      const two = await ask.json<WirePage>(
        `entries?resource=tag&id=1&limit=${limit}&cursor=${one.nextCursor}`,
      )
      expect([...one.entries, ...two.entries]).toEqual(entries.slice(0, 2 * limit))
    }
  })

  it('says of each entry where it comes from', async () => {
    const entries = await allPages(ask, 'resource=tag&id=1', 100)
    const archived = entries.filter(({ archivedIn }) => archivedIn !== undefined)
    expect(archived.length).toBeGreaterThan(20)
    for (const { archivedIn, timestamp } of archived) {
      expect(fileURLToPath(archivedIn ?? '')).toContain(
        `${directory}/public.audit_logs/entries/month=${timestamp.slice(0, 7)}/part-`,
      )
    }
  })

  it('opens an entry of the archive with all its contents', async () => {
    const { archivedIn, ...entry } = await ask.json<WireEntry>(`entries/${oldest.id}`)
    expect(entry).toEqual(opened)
    expect(entry.timestamp).toMatch(/\.\d{6}Z$/)
    expect(archivedIn).toMatch(/^file:/)
    expect((await ask.text('entries/01890000-0000-7000-8000-000000000001')).status).toBe(404)
  })

  it('shortens long details in a list, and gives them whole when the entry is opened', async () => {
    const [listed] = await allPages(ask, 'resource=note', 10)
    expect(listed).toMatchObject({ id: long, details: '{"operation":"create"}', shortened: true })
    const whole = await ask.json<WireEntry>(`entries/${long}`)
    expect([whole.shortened, whole.details?.length]).toEqual([false, expect.any(Number)])
    expect(whole.details?.length).toBeGreaterThan(40_000)
  })

  it('exports both', async () => {
    expect((await ask.text('export?format=csv&resource=order')).text).toBe(exported.text)
    const lines = (await ask.text('export?format=ndjson&resource=tag&id=1')).text.trimEnd().split('\n')
    const from = lines.map((line) => (JSON.parse(line) as { archivedIn?: string }).archivedIn)
    expect(lines).toHaveLength(36)
    expect(from.filter((place) => place?.startsWith('file:')).length).toBeGreaterThan(20)
  })

  it('counts the table, and says from which month on that is everything', async () => {
    const [{ until } = {}] = await db.sql<{ until: string }>(
      `SELECT to_char(max(upper) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS until
       FROM audit_logs_internal.archives WHERE retired_at IS NOT NULL`,
    )
    const leftOut = { before: until, isListed: true }
    const activity = await ask.json<WireActivity>('activity?action=order.*')
    const [{ online } = {}] = await db.sql(
      `SELECT count(*)::int AS online FROM audit_logs WHERE action = 'order.update'`,
    )
    expect(activity.leftOut).toEqual(leftOut)
    expect(activity.counts.reduce((sum, [, one, other]) => sum + one + other, 0)).toBe(online)
    expect((await ask.json<WireOverview>('overview')).leftOut).toEqual(leftOut)
    expect((await ask.json<WireLogins>('failed-logins')).leftOut).toEqual(leftOut)
    const recent = `from=${monthsAgo(6).toISOString()}`
    expect(await ask.json('failed-logins?'.concat(recent))).not.toHaveProperty('leftOut')
    expect(await ask.json(`activity?${recent}`)).not.toHaveProperty('leftOut')
  })

  it('without the archive lists the table, and says what it was not given', async () => {
    const without = asking(db.url)
    const entries = await allPages(without, 'resource=tag&id=1', 100)
    expect(entries.length).toBeLessThan(20)
    expect((await without.json<WireOverview>('overview')).leftOut).toMatchObject({ isListed: false })
    expect((await without.text(`entries/${oldest.id}`)).status).toBe(404)
  })

  it('does not tell a visitor where the archive is that can not be read', async () => {
    await rename(directory, `${directory}-away`)
    onTestFinished(() => rename(`${directory}-away`, directory))
    const errors: unknown[] = []
    const broken = asking(prisma, { onError: (error) => errors.push(error) })
    const { status, text } = await broken.text('entries?resource=tag&id=1')
    expect([status, JSON.parse(text).error.code]).toEqual([500, 'AUDIT_ARCHIVE_BROKEN'])
    expect(text).not.toContain(directory)
    expect(errors).toMatchObject([{ code: 'AUDIT_ARCHIVE_BROKEN' }])
  })
})

describe('what the page says of the seal of an archived entry', { timeout: 120_000 }, async () => {
  const db = await createPartitioned()
  await fillMonths(db, 4, 12)
  await untilReadable(db)
  const signer = await signerOf(newKey())
  await sealAll(logOf(db), signer)
  const { archive } = await archiveOfFile()
  const ids = (await db.sql<{ id: string }>('SELECT id FROM audit_logs ORDER BY "timestamp"')).map(
    ({ id }) => id,
  )
  const [first = '', second = ''] = ids
  const retention = { default: '1 month', archive }
  const prisma = withAudit(createClient(db.url), { retention })
  await maintainBy(db, { default: 'forever', archive })
  await prisma.$audit.erase([second], { reason: 'request 17' })
  await maintainBy(db, retention)
  const sealed = { state: 'sealed', checkpoint: 1, isErased: false, isArchived: true }
  const filter = { action: '*' }

  it('is that its seal is there, and the entry itself in the archive', async () => {
    const ask = asking(prisma)
    expect(await ask.json(`seals/${first}`)).toEqual(sealed)
    expect(await ask.json(`seals/${ids.at(-1)}`)).toEqual({
      ...{ state: 'sealed', checkpoint: 1, isErased: false },
    })
    expect(await asking(prisma, { filter }).json(`seals/${first}`)).toEqual({ ...sealed, checkpoint: null })
    expect((await asking(db.url).text(`seals/${first}`)).status).toBe(404)
  })

  it('is that it was erased, where the archive has it from before', async () => {
    expect(await asking(prisma).json(`seals/${second}`)).toEqual({ ...sealed, isErased: true })
  })

  it('is that it is broken, where the archive has something else than was sealed', async () => {
    const forging: MonthArchive = {
      ...archive,
      engine: async () => {
        const engine = await archive.engine()
        return {
          ...engine,
          find: async (paths, question) =>
            (await engine.find(paths, question)).map((found) => ({
              ...found,
              row: { ...found.row, actor_id: 'somebody else' },
            })),
        }
      },
    }
    const forged = withAudit(createClient(db.url), { retention: { ...retention, archive: forging } })
    expect(await asking(forged).json(`seals/${first}`)).toMatchObject({ state: 'broken' })
  })
})

describe.skipIf(!hasBrowser)('in a browser', { timeout: 120_000 }, () => {
  it('the list goes on in the archive, and an open entry says where it was read from', async () => {
    const db = await createPartitioned()
    await fillMonths(db, 6, 120)
    await untilReadable(db)
    const { archive } = await temporaryArchive()
    const retention = { default: '2 months', archive }
    await maintainBy(db, retention)
    const server = await startWebPage(db.url, { port: '0', retention: retentionSchema.parse(retention) })
    onTestFinished(() => server.close())
    const browser = await launchChromium()
    onTestFinished(() => browser.close())
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    await page.goto(server.url)
    await page.locator('.row').first().waitFor()
    await expect
      .poll(() => page.locator('.activity .note').innerText())
      .toMatch(
        /^Counted is the table, which has everything since \w+ \d{4}\. Older entries are in the archive, which the list has, too\.$/,
      )
    const goOn = page.getByRole('button', { name: 'Search further back' })
    while (!(await page.getByText(/^The end: /).isVisible())) {
      if (await goOn.isVisible()) await goOn.click() // on a busy machine a search runs out of time
      await page.locator('.list-end').scrollIntoViewIfNeeded()
      await page.waitForTimeout(50)
    }
    await expect.poll(() => page.locator('.row').count()).toBeGreaterThan(120)
    const archived = page.locator('.row:has(.archived)')
    await expect.poll(() => archived.count()).toBeGreaterThan(50)
    await archived.last().click()
    await page.getByText('Read from').waitFor()
    await expect.poll(() => page.locator('#detail').innerText()).toMatch(/Read from\s+file:\/\/.*\.parquet/i)
  })
})

describe('a page fixed to an organization, with others in the archive', { timeout: 180_000 }, async () => {
  const db = await createPartitioned()
  await fillMonths(db, 6, 60)
  const { archive, directory } = await archiveOfFile()
  const at = (months: number, minute: number) =>
    new Date(monthsAgo(months).getTime() + minute * 60_000).toISOString()
  const of = (organization: string, months: number): Sample[] =>
    (
      [
        { at: at(months, 0), action: 'order.create', details: { after: { id: 1 } }, transactionId: 7 },
        { at: at(months, 1), action: 'order.update', transactionId: 7, requestId: 'r1' },
        { at: at(months, 2), action: 'user.login', outcome: 'failure', ip: '203.0.113.7' },
        { at: at(months, 3), action: 'patient.read', resource: { type: 'patient', id: null } },
        { at: at(months, 4), action: 'report.export', resource: { type: 'report', id: 'q3' } },
      ] satisfies Sample[]
    ).map((sample: Sample) => ({
      ...sample,
      organizationId: organization,
      actor: { id: `ada of ${organization}`, email: `ada@${organization}.example` },
      details: {
        ...(sample.details as object),
        ...(sample.action === 'patient.read' && { ids: ['1', '2'] }),
        note: organization,
      },
    }))
  const later = (samples: Sample[], seconds: number) =>
    samples.map((sample) => ({
      ...sample,
      at: new Date(Date.parse(sample.at) + seconds * 1_000).toISOString(),
    }))
  const ids = {
    mine: [...(await insertSamples(db, of(mine, 4))), ...(await insertSamples(db, of(mine, 0)))],
    theirs: [
      ...(await insertSamples(db, later(of(theirs, 4), 1))),
      ...(await insertSamples(db, later(of(theirs, 0), 1))),
    ],
    // an event of nobody's beside a change of theirs, in the archive
    beside: await insertSamples(db, [
      { at: at(4, 10), action: 'report.print', organizationId: mine, transactionId: 99 },
      { at: at(4, 11), action: 'order.create', organizationId: theirs, transactionId: 99, reason: secret },
    ]),
  }
  await untilReadable(db)
  const retention = { default: '2 months', archive }
  await maintainBy(db, retention)
  const prisma = withAudit(createClient(db.url), { retention })
  const ask = asking(prisma, { filter: { organizationId: mine } })
  const [event, change] = ids.beside as [string, string]
  const own = [...ids.mine, event]
  const others = [...ids.theirs, change]

  it('has its own entries of both', async () => {
    const entries = await allPages(ask, '', 3)
    expect(new Set(entries.map(({ id }) => id))).toEqual(new Set(own))
    const archived = entries.filter(({ archivedIn }) => archivedIn !== undefined)
    expect(archived).toHaveLength(6)
    // where files are is nothing for a visitor
    expect(new Set(archived.map(({ archivedIn }) => archivedIn))).toEqual(new Set(['archive']))
  })

  it.each(['entries', 'activity', 'failed-logins', 'export'])(
    'shows nothing of others by any filter of %s',
    async (name) => {
      for (const query of queries) {
        const { status, text } = await ask.text(
          `${name}?${query}${name === 'export' ? '&format=ndjson' : ''}`,
        )
        expect([200, 400], query).toContain(status)
        if (status === 400) continue
        expect(text, query).not.toContain(secret)
        expect(text, query).not.toContain(directory)
        for (const id of others) expect(text, query).not.toContain(id)
      }
    },
  )

  it('has no entry of others by its address, nor a word of its seal', async () => {
    for (const id of others) {
      for (const query of ['', `?organization=${theirs}`]) {
        expect((await ask.text(`entries/${id}${query}`)).status).toBe(404)
        expect((await ask.text(`seals/${id}${query}`)).status).toBe(404)
      }
    }
    expect(await ask.json(`entries/${ids.mine[0]}`)).toMatchObject({ organizationId: mine })
  })

  it('does not say that an event stands beside a change of somebody else', async () => {
    expect(await ask.json(`entries/${event}`)).toMatchObject({ besideChange: false, archivedIn: 'archive' })
    expect(await asking(prisma).json(`entries/${event}`)).toMatchObject({ besideChange: true })
    expect(await ask.json(`entries/${ids.mine[1]}`)).toMatchObject({ besideChange: true })
  })

  it('takes no cursor from elsewhere', async () => {
    for (const other of [asking(prisma), asking(prisma, { filter: { organizationId: theirs } })]) {
      const { nextCursor } = await other.json<WirePage>('entries?limit=8')
      expect((await ask.text(`entries?cursor=${nextCursor}`)).status).toBe(400)
    }
  })
})
