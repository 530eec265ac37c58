import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import type { AuditEntry, AuditPage, PageOptions } from '../../src/index.ts'
import { withAudit } from '../../src/index.ts'
import { archiveFolder } from '../../src/parquet/archive-folder.ts'
import { createProject, runCli } from '../cli/project.ts'
import { monthsAgo } from '../partitions/months-ago.ts'
import { partitionsOf } from '../partitions/partitioned.ts'
import { built } from '../support/built.ts'
import { createClient } from '../support/database.ts'
import { maintainBy } from './retained.ts'
import { threeYears } from './three-years.ts'

async function allPages(
  ask: (page: PageOptions) => Promise<AuditPage>,
  limit: number,
): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  let cursor: string | undefined
  do {
    const page = await ask({ limit, cursor })
    expect(page.entries.length).toBeLessThanOrEqual(limit)
    entries.push(...page.entries)
    cursor = page.nextCursor ?? undefined
  } while (cursor)
  return entries
}

const plain = (entries: readonly AuditEntry[]) => entries.map(({ archivedIn: _, ...entry }) => entry)

describe('a log of three years, of which one stays in the table', { timeout: 180_000 }, async () => {
  const db = await threeYears()
  // of the file's own, so not removed after one test
  const directory = await mkdtemp(join(tmpdir(), 'audit-archive-test-'))
  afterAll(() => rm(directory, { recursive: true }))
  const archive = archiveFolder({ directory })
  const policy = { default: '1 year', rules: [{ organization: 'held', hold: true as const }], archive }
  const prisma = withAudit(createClient(db.url), { retention: policy })
  const { $audit } = prisma

  const day = 86_400_000
  const span = { from: new Date(Date.now() - 500 * day), to: new Date(Date.now() - 300 * day) }
  const questions: Record<string, (page: PageOptions) => Promise<AuditPage>> = {
    history: (page) => $audit.history('Tag', 1, page),
    activity: (page) => $audit.activity('actor-3', page),
    'search by a pattern': (page) => $audit.search({ action: 'report.*' }, page),
    'search by a record': (page) => $audit.search({ resource: { type: 'order', id: '7' } }, page),
    'search by organization and outcome': (page) =>
      $audit.search({ organizationId: 'organization-2', outcome: 'failure' }, page),
    'search by a changed field': (page) => $audit.search({ changed: 'name' }, page),
    'search in a span of both': (page) => $audit.search(span, page),
    'failed logins': (page) => $audit.failedLogins({ since: '2000-01-01' }, page),
    exports: (page) => $audit.exports({}, page),
    'a transaction': (page) => $audit.transaction(1_000_000_020n, page),
    'a request': (page) => $audit.search({ requestId: 'request-40' }, page),
    everything: (page) => $audit.search({}, page),
  }
  const untilMaintained = { to: new Date() }
  const before = new Map<string, AuditEntry[]>()
  for (const [name, ask] of Object.entries(questions)) before.set(name, await allPages(ask, 500))
  const streamed: AuditEntry[] = []
  for await (const entry of $audit.stream(untilMaintained)) streamed.push(entry)
  const states = [40, 30, 24, 13, 12, 2, 0]
  const statesBefore = await Promise.all(states.map((ago) => $audit.stateAt('Tag', 1, monthsAgo(ago))))
  const actions = await maintainBy(db, policy)

  it('has a year in the table and two in the archive, but for what is held', async () => {
    const retired = actions.filter(({ action }) => action === 'retire')
    expect(retired.length).toBeGreaterThanOrEqual(23)
    const [{ oldest, held } = {}] = await db.sql(
      `SELECT min("timestamp") FILTER (WHERE organization_id IS DISTINCT FROM 'held') AS oldest,
        count(*) FILTER (WHERE organization_id = 'held')::int AS held FROM audit_logs`,
    )
    expect(oldest).toBeInstanceOf(Date)
    expect(monthsAgo(13) <= (oldest as Date)).toBe(true)
    expect(held).toBe(3)
    expect((await partitionsOf(db)).length).toBeLessThan(13 + 13 + 3)
  })

  it.each(Object.keys(questions))(
    '%s: the same entries in the same order, by pages of any size',
    async (name) => {
      const ask = questions[name] as (page: PageOptions) => Promise<AuditPage>
      const was = before.get(name) ?? []
      expect(was.length).toBeGreaterThan(0)
      const isOwn = ({ action }: AuditEntry) => action.startsWith('auditLog.')
      for (const limit of [7, 1_000]) {
        if (limit === 7 && was.length > 600) continue
        const entries = (await allPages(ask, limit)).filter((entry) => !isOwn(entry))
        expect(plain(entries)).toEqual(was)
      }
    },
  )

  it('entries say where they come from', async () => {
    const { entries } = await $audit.history('Tag', 1, { limit: 100 })
    expect(entries).toHaveLength(36)
    const archived = entries.filter(({ archivedIn }) => archivedIn !== undefined)
    expect(archived.length).toBeGreaterThan(20)
    expect(archived[0]?.archivedIn).toMatch(
      /^file:\/\/\/.*\/public\.audit_logs\/entries\/month=\d{4}-\d\d\/part-[0-9a-f]{16}-000\.parquet$/,
    )
    expect(entries[0]).not.toHaveProperty('archivedIn')
    // what is held is in the table
    expect(entries.at(-1)).not.toHaveProperty('archivedIn')
  })

  it('stream gives all of both', async () => {
    const entries: AuditEntry[] = []
    for await (const entry of $audit.stream(untilMaintained)) entries.push(entry)
    expect(plain(entries)).toEqual(streamed)
  })

  it('stateAt is right two years ago, and at every other time', async () => {
    const now = await Promise.all(states.map((ago) => $audit.stateAt('Tag', 1, monthsAgo(ago))))
    expect(now).toEqual(statesBefore)
    expect(now[states.indexOf(24)]).toEqual({ id: 1, name: 'name 11' })
    expect(now[0]).toBeNull()
  })

  it('history and export on the command line give both', async () => {
    const { directory: project } = await createProject({
      'audit.config.ts': `import { archiveFolder } from ${JSON.stringify(built('parquet/archive-folder.js'))}
export default { retention: { default: '1 year', archive: archiveFolder({ directory: ${JSON.stringify(directory)} }) } }`,
    })
    const options = { cwd: project, env: { DATABASE_URL: db.url } }
    const history = await runCli(['history', 'Tag', '1', '--json'], options)
    expect(history).toMatchObject({ code: 0, stderr: '' })
    const ids = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id)
    expect(ids(history.stdout)).toEqual(before.get('history')?.map(({ id }) => id))
    const exported = await runCli(['export', '--format', 'ndjson', '--action', 'report.*'], options)
    expect(ids(exported.stdout)).toEqual(before.get('search by a pattern')?.map(({ id }) => id))
  })

  it('the command line says what it asked where it found nothing, and what it counted', async () => {
    const options = { env: { DATABASE_URL: db.url } }
    const configured = await createProject({
      'audit.config.ts': `import { archiveFolder } from ${JSON.stringify(built('parquet/archive-folder.js'))}
export default { retention: { default: '1 year', archive: archiveFolder({ directory: ${JSON.stringify(directory)} }) } }`,
    })
    const plainProject = await createProject({})
    const asked = await runCli(['history', 'Tag', '2'], { ...options, cwd: configured.directory })
    expect(asked.stderr).toMatch(
      /^No entry is about tag "2"\. The log has entries about tag .*\. That is its table, with all entries since \d{4}-\d\d; older ones are in the archive, which was asked, too\.$/m,
    )
    const unasked = await runCli(['history', 'Tag', '2'], { ...options, cwd: plainProject.directory })
    expect(unasked.stderr).toContain('which was not asked: audit.config.ts has no option retention.')
    const status = await runCli(['status'], { ...options, cwd: plainProject.directory })
    expect(status.stdout).toMatch(
      /entries, the newest of .*Z, in the table; months before \d{4}-\d\d have left for the archive$/m,
    )
  })

  it('a client without the option never asks the archive', async () => {
    const { entries } = await withAudit(createClient(db.url)).$audit.history('Tag', 1)
    expect(entries.length).toBeLessThan(20)
  })

  it('says what is wrong where a file of the archive is gone', async () => {
    await rename(directory, `${directory}-away`)
    onTestFinished(() => rename(`${directory}-away`, directory))
    await expect($audit.history('Tag', 1)).rejects.toMatchObject({ code: 'AUDIT_ARCHIVE_BROKEN' })
  })
})
