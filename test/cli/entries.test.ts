import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createDatabase } from '../support/database.ts'
import { commandLine, runCli } from './project.ts'

const db = await createDatabase()
const env = { DATABASE_URL: db.url, NO_COLOR: '1' }
const run = (...args: string[]) => runCli(args, { env })

async function addEntry(entry: Record<string, unknown>): Promise<void> {
  const row = { actor_id: 'ada', actor_type: 'user', resource_type: 'order', resource_id: '42', ...entry }
  const columns = Object.keys(row)
  await db.sql(
    `INSERT INTO audit_logs (id, ${columns.join(', ')})
     VALUES (gen_random_uuid(), ${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  )
}

const at = (minute: number) => `2026-03-01T10:0${minute}:00Z`

beforeAll(async () => {
  await addEntry({ timestamp: at(0), action: 'order.create', details: { after: { id: 42, status: 'OPEN' } } })
  await addEntry({
    timestamp: at(1),
    action: 'order.update',
    details: { before: { status: 'OPEN' }, after: { status: 'PAID' }, changed: ['status'] },
  })
  await addEntry({
    timestamp: at(2),
    action: 'user.login',
    actor_id: '=HYPERLINK("http://evil.example")',
    resource_type: 'user',
    resource_id: 'eve',
    outcome: 'failure',
    reason: 'wrong "password",\nagain',
  })
})

describe('history', () => {
  const life = `2026-03-01 10:01 UTC · ada · order.update · 42
  status: "OPEN" → "PAID"
2026-03-01 10:00 UTC · ada · order.create · 42
  + id: 42
  + status: "OPEN"
`
  it.each(['Order', 'order'])('tells the life of a record, named as %s, newest first', async (name) => {
    expect(await run('history', name, '42')).toEqual({ code: 0, stdout: life, stderr: '' })
  })

  it('gives at most so many entries', async () => {
    const { stdout } = await run('history', 'Order', '42', '--limit', '1')
    expect(stdout).toBe(life.split('\n').slice(0, 2).join('\n').concat('\n'))
  })

  it('gives lines of JSON', async () => {
    const { stdout } = await run('history', 'Order', '42', '--json')
    const entries = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(entries).toMatchObject([
      { action: 'order.update', seq: '2', changes: [{ field: 'status', from: 'OPEN', to: 'PAID' }] },
      { action: 'order.create', seq: '1', details: { after: { id: 42, status: 'OPEN' } } },
    ])
  })

  it('has the reads that gave the record among others', async () => {
    const clinic = await createDatabase()
    await clinic.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, details)
      VALUES (gen_random_uuid(), 'patient.read', 'ada', 'user', 'patient', '{"ids": ["7", "8"]}')`)
    const options = { env: { ...env, DATABASE_URL: clinic.url } }
    const { stdout } = await runCli(['history', 'Patient', '8', '--json'], options)
    expect(JSON.parse(stdout)).toMatchObject({ action: 'patient.read', details: { ids: ['7', '8'] } })
  })

  it('needs a model and an id', async () => {
    const { code, stdout, stderr } = await run('history', 'Order')
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toBe(
      'history takes a model and an id: history User 42\nSee: npx prisma-extension-audit --help\n',
    )
  })
})

describe('tail', () => {
  it('gives the newest entries, the oldest of them first', async () => {
    const { stdout } = await run('tail', '--limit', '2')
    expect(stdout.split('\n').filter((line) => line.startsWith('2026'))).toEqual([
      '2026-03-01 10:01 UTC · ada · order.update · 42',
      '2026-03-01 10:02 UTC · =HYPERLINK("http://evil.example") · user.login · eve · failed',
    ])
  })

  it.each([
    [
      ['--action', 'order.*'],
      ['order.create', 'order.update'],
    ],
    [
      ['--action', '*.create', '--action', '*.login'],
      ['order.create', 'user.login'],
    ],
    [['--actor', 'ada', '--changed', 'status'], ['order.update']],
    [['--resource', 'Order:42', '--to', at(1)], ['order.create']],
    [['--outcome', 'failure'], ['user.login']],
    [['--from', at(1), '--to', at(2)], ['order.update']],
  ])('filters by %j', async (args, actions) => {
    const { stdout } = await run('tail', '--json', ...args)
    const found = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).action)
    expect(found).toEqual(actions)
  })

  it('says what is wrong with a filter, and reads nothing', async () => {
    const { code, stdout, stderr } = await run('tail', '--from', 'yesterday')
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toBe(
      '--from must be a Date, or a string in ISO 8601: 2026-11-24, or 2026-11-24T09:12:00Z with Z or an offset.\nSee: npx prisma-extension-audit --help\n',
    )
  })

  it('follows until it is interrupted', async () => {
    const args = [commandLine(), 'tail', '-f', '--limit', '1', '--action', 'job.*']
    const child = spawn(process.execPath, args, { env: { ...process.env, ...env } })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    const ended = new Promise((done) => child.once('close', done))
    const seen = async (text: string) => {
      while (!output.includes(text)) await new Promise((done) => setTimeout(done, 50))
    }
    const follows = new Promise((done) => setTimeout(done, 2_500))
    await addEntry({ action: 'job.first' })
    await seen('job.first')
    await follows
    // a transaction that began before an entry that was seen already, and commits after it
    const late = await db.pool.connect()
    await late.query(`BEGIN; INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
      VALUES (gen_random_uuid(), 'job.late', 'ada', 'user', 'job')`)
    await addEntry({ action: 'job.second' })
    await seen('job.second')
    await late.query('COMMIT')
    late.release()
    await seen('job.late')
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    expect(output.match(/job\.\w+/g)).toEqual(['job.first', 'job.second', 'job.late'])
  })
})

describe('export', () => {
  const filter = ['--to', '2026-03-02']

  it('writes CSV that no spreadsheet takes for a formula', async () => {
    const { code, stdout, stderr } = await run('export', ...filter)
    expect([code, stderr]).toEqual([0, ''])
    const lines = stdout.split('\r\n')
    expect(lines[0]).toBe(
      'seq,timestamp,action,actor_id,actor_type,actor_email,resource_type,resource_id,outcome,reason,details,request_id,ip,user_agent,organization_id,transaction_id,id',
    )
    expect(lines[1]).toMatch(
      /^3,2026-03-01T10:02:00\.000Z,user\.login,"'=HYPERLINK\(""http:\/\/evil\.example""\)",user,,user,eve,failure,"wrong ""password"",\nagain",,,,,,\d+,[\da-f-]{36}$/,
    )
    expect(lines).toHaveLength(5)
  })

  it('writes NDJSON, into a file if asked', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'audit-export-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'log.ndjson')
    expect((await run('export', '--json', '--output', file, ...filter)).stdout).toBe('')
    const entries = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(entries.map(({ action }) => action)).toEqual(['user.login', 'order.update', 'order.create'])
  })

  it('goes on where it was interrupted', async () => {
    await addMany('many.entries', 2_500)
    const directory = await mkdtemp(join(tmpdir(), 'audit-export-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'log.csv')
    const first = await cursorOfFirstPage()
    const { code } = await run('export', '--action', 'many.*', '--cursor', first, '--output', file)
    expect(code).toBe(0)
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\r\n')
    expect(lines).toHaveLength(1_500)

    const changed = await run('export', '--action', 'order.*', '--cursor', first)
    expect([changed.code, changed.stdout]).toEqual([2, ''])
  })

  it('stops at Ctrl-C with whole lines in its file, says how to go on, and then nothing is missing or twice', async () => {
    await addMany('stopped.export', 2_500)
    const directory = await mkdtemp(join(tmpdir(), 'audit-export-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'log.csv')
    const stopped = ['export', '--action', 'stopped.*', '--output', file]

    // its first page waits for this lock, so that Ctrl-C comes in the middle
    const lock = await db.pool.connect()
    await lock.query('BEGIN; LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE')
    const args = [commandLine(), ...stopped]
    const child = spawn(process.execPath, args, { env: { ...process.env, ...env } })
    let said = ''
    child.stderr.on('data', (chunk) => {
      said += chunk
    })
    const ended = new Promise((done) => child.once('close', done))
    const waiting = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'audit_logs'::regclass`
    await expect.poll(async () => (await lock.query(waiting)).rowCount, { timeout: 20_000 }).toBe(1)
    child.kill('SIGINT')
    await lock.query('COMMIT')
    lock.release()

    expect(await ended).toBe(130)
    const half = await readFile(file, 'utf8')
    expect(half).toMatch(/\r\n$/)
    expect(half.trimEnd().split('\r\n')).toHaveLength(1 + 1_000)
    const [, cursor = ''] = /^Stopped after 1000 entries\. Go on with: --cursor (\S+)\n$/m.exec(said) ?? []

    expect((await run(...stopped, '--cursor', cursor)).code).toBe(0)
    const { stdout: whole } = await run('export', '--action', 'stopped.*')
    expect(whole.trimEnd().split('\r\n')).toHaveLength(1 + 2_500)
    expect(await readFile(file, 'utf8')).toBe(whole)
  })
})

describe('an empty result says so and names what the log has', () => {
  const saysOf = async (...args: string[]) => {
    const { code, stderr } = await run(...args)
    expect(code).toBe(0)
    return stderr
  }

  it('of a record without entries: other ids of its resource', async () => {
    const says = 'No entry is about order "43". The log has entries about order of other ids, such as "42".\n'
    expect(await saysOf('history', 'Order', '43')).toBe(says)
    expect(await saysOf('tail', '--resource', 'order:43')).toBe(says)
  })

  it('of a resource without entries: the resources that it knows', async () => {
    const shop = await createDatabase()
    await shop.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
      SELECT gen_random_uuid(), type || '.create', 'ada', 'user', type FROM unnest(ARRAY['user', 'order', 'user']) AS type`)
    const options = { env: { ...env, DATABASE_URL: shop.url } }
    const stderr = 'No entry is about invoice. The log has entries about order, user.\n'
    expect(await runCli(['history', 'Invoice', '1'], options)).toEqual({ code: 0, stdout: '', stderr })
    expect(await runCli(['tail', '--resource', 'Invoice'], options)).toEqual({ code: 0, stdout: '', stderr })
  })

  it('of a search without hits: the time that it has entries of, beside the output', async () => {
    const says =
      /^No entry meets the filter\. The log has entries from 2026-03-01T10:00:00\.000000Z to 20\d\d-\d\d-\d\dT[\d:.]+Z\.\n$/
    expect(await saysOf('tail', '--actor', 'nobody', '--json')).toMatch(says)
    const { stdout, stderr } = await run('export', '--to', '2026-01-01')
    expect(stdout).toMatch(/^seq,timestamp,[^\n]*\r\n$/)
    expect(stderr).toMatch(says)
  })

  it('of an empty log: that it is', async () => {
    const empty = await createDatabase()
    const options = { env: { ...env, DATABASE_URL: empty.url } }
    expect(await runCli(['tail'], options)).toEqual({
      code: 0,
      stdout: '',
      stderr: 'The audit log "audit_logs" has no entries.\n',
    })
  })
})

describe('the file of an export', () => {
  const pointer = 'See: npx prisma-extension-audit --help\n'

  it('is never overwritten without --force, and a missing folder is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'export-'))
    const file = join(folder, 'log.csv')
    const few = ['export', '--action', 'few.*', '--output']
    await addMany('few.entry', 2)
    expect(await run(...few, file)).toMatchObject({ code: 0, stdout: '' })
    const first = await readFile(file, 'utf8')
    expect(await run(...few, file)).toMatchObject({
      code: 2,
      stderr: `--output: "${file}" is there already. Overwrite it with --force, or name another file.\n${pointer}`,
    })
    await addMany('few.entry', 1)
    expect(await readFile(file, 'utf8')).toBe(first)
    expect(await run(...few, file, '--force')).toMatchObject({ code: 0 })
    expect((await readFile(file, 'utf8')).trimEnd().split('\r\n')).toHaveLength(1 + 3)
    expect(await run(...few, join(folder, 'none', 'log.csv'))).toMatchObject({
      code: 2,
      stderr: `--output: the folder "${join(folder, 'none')}" is not there. Create it, or name a file elsewhere.\n${pointer}`,
    })
    expect(await run(...few, folder)).toMatchObject({ code: 2 })
  })

  it('is not left behind empty by an export that fails', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'export-')), 'log.csv')
    expect(await run('export', '--table', 'no_such_log', '--output', file)).toMatchObject({ code: 1 })
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

/** Writes so many entries of one action. */
async function addMany(action: string, count: number): Promise<void> {
  await db.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
    SELECT gen_random_uuid(), '${action}', 'ada', 'user', 'many' FROM generate_series(1, ${count})`)
}

/** The cursor behind the first page of an export of `many.*`. */
async function cursorOfFirstPage(): Promise<string> {
  const { exportEntries } = await import('../../src/cli/export.ts')
  const { Writable } = await import('node:stream')
  const controller = new AbortController()
  const before = process.env.DATABASE_URL
  process.env.DATABASE_URL = db.url
  try {
    const { cursor } = await exportEntries(
      { action: ['many.*'] },
      new Writable({ write: (_chunk, _encoding, done) => done() }),
      {
        table: undefined,
        format: 'csv',
        cursor: undefined,
        signal: controller.signal,
        onProgress: () => controller.abort(),
        onEmpty: () => {},
      },
    )
    return cursor ?? ''
  } finally {
    if (before === undefined) delete process.env.DATABASE_URL
    else process.env.DATABASE_URL = before
  }
}
