import { expect, it } from 'vitest'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { checkProof } from '../../src/seal/check-proof.ts'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { newKey, sealAll, signerOf } from '../seal/seals.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { createProject, runCli } from './project.ts'

const database = await createDatabase()
const prisma = withAudit(createClient(database.url), { reads: ['User'] })
const env = { DATABASE_URL: database.url }
const doctor = { actor: { id: '<doctor>', type: 'user' }, ip: '192.0.2.1', reason: 'round & visit' } as const

const { id } = await withAuditContext(doctor, async () => {
  const { id } = await prisma.user.create({ data: { email: 'a@x.org', name: '<script>alert(1)</script>' } })
  await prisma.user.create({ data: { email: 'other@x.org' } })
  await prisma.user.findMany({})
  await prisma.user.update({ where: { id }, data: { name: 'Ada' } })
  await prisma.$audit.logExport('User', { rows: 2 })
  return { id }
})
await prisma.$audit.flush()
await untilReadable(database)
const key = newKey()
await sealAll(logOf(database), await signerOf(key))
await prisma.user.delete({ where: { id } })

it('tells who saw, changed and exported a record, as JSON with proofs', async () => {
  const { directory } = await createProject({})
  const { code, stdout } = await runCli(['report', '--subject', `User:${id}`, '--json'], {
    cwd: directory,
    env,
  })
  expect(code).toBe(0)
  const report = JSON.parse(stdout)
  expect(report).toMatchObject({
    subject: { resource: 'user', id: String(id) },
    createdAt: expect.any(String),
  })
  const actions = (list: { entry: { action: string }; proof: unknown }[]) =>
    list.map(({ entry, proof }) => [entry.action, proof !== null])
  expect(actions(report.entries)).toEqual([
    ['user.delete', false],
    ['user.update', true],
    ['user.read', true],
    ['user.create', true],
  ])
  expect(actions(report.exports)).toEqual([['user.export', true]])
  for (const { proof, entry } of [...report.entries, ...report.exports].slice(1)) {
    expect(checkProof(proof, [parseVerifierKey(key.publicKey)])).toMatchObject({
      ok: true,
      entry: { id: entry.id },
    })
  }
})

it('writes HTML into a file, in which every text is escaped', async () => {
  const project = await createProject({})
  const args = ['report', '--subject', `User:${id}`, '--output', 'report.html']
  const run = await runCli(args, { cwd: project.directory, env })
  expect([run.code, run.stdout, run.stderr]).toEqual([0, '', 'report.html: 5 entries\n'])
  const page = await project.read('report.html')
  expect(page).toContain(`<h1>Access report: user ${id}</h1>`)
  expect(page).toContain('&#60;doctor&#62; <small>user, 192.0.2.1</small><p>round &#38; visit</p>')
  expect(page).toContain('&#60;script&#62;alert(1)')
  expect(page).toContain('<td>not sealed</td>')
  expect(page).toMatch(/<td>sealed: leaf \d+ of 5 <small>example\.com\/audit<\/small><\/td>/)
  expect(page.match(/<script|src=|href=|https?:/g)).toBeNull()
  expect((await runCli(args, { cwd: project.directory, env })).code).toBe(2)
})

it('works without seals, and says of whom nothing is known', async () => {
  const empty = await createDatabase()
  const { stdout, code } = await runCli(['report', '--subject', 'Nobody:7', '--json'], {
    env: { DATABASE_URL: empty.url },
  })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    subject: { resource: 'nobody', id: '7' },
    entries: [],
    exports: [],
  })
})

it.each([[[]], [['--subject', 'User']], [['--subject', 'User:1', '--format', 'pdf']]])(
  'is used wrongly: %s',
  async (args) => {
    expect((await runCli(['report', ...args], { env })).code).toBe(2)
  },
)
