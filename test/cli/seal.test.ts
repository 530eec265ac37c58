import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { untilReadable, write } from '../reader/readers.ts'
import { createDatabase } from '../support/database.ts'
import { createProject, runCli } from './project.ts'

const database = await createDatabase()
const directory = await mkdtemp(join(tmpdir(), 'audit-seal-'))
afterAll(() => rm(directory, { recursive: true }))
await writeFile(
  join(directory, 'audit.config.mjs'),
  `export default { seal: { key: { file: 'audit.key' }, every: 50 } }\n`,
)
const run = (...args: string[]) => runCli(args, { cwd: directory, env: { DATABASE_URL: database.url } })

describe('the commands of seals', () => {
  it('make a key, seal, verify, and check a proof', { timeout: 120_000 }, async () => {
    const keygen = await run('keygen', 'example.com/audit')
    expect(keygen).toMatchObject({ code: 0, stderr: '' })
    const publicKey = (await readFile(join(directory, 'audit.pub'), 'utf8')).trim()
    expect(keygen.stdout).toContain(publicKey)
    expect(await run('keygen', 'example.com/audit')).toMatchObject({ code: 1, stdout: '' })
    expect(await run('keygen', 'two words')).toMatchObject({ code: 2 })

    await write(database.pool, 'order.update')
    await untilReadable(database)
    const sealed = await run('seal', '--once', '--tiles', 'tiles')
    expect(sealed).toMatchObject({
      code: 0,
      stdout: 'Sealed 1 entry in 1 checkpoint. Checkpoint 1 covers 1\n',
    })
    expect(sealed.stderr).toContain('as example.com/audit, signed by example.com/audit+')
    const checkpoint = await readFile(join(directory, 'tiles/checkpoint'), 'utf8')
    expect(checkpoint).toMatch(/^example\.com\/audit\n1\n/)
    expect(await readFile(join(directory, 'tiles/tile/0/000.p/1'))).toHaveLength(32)
    expect(await readFile(join(directory, 'tiles/tile/entries/000.p/1'))).toHaveLength(59)

    await write(database.pool, 'order.delete')
    const verified = await run('verify', '--key', 'audit.pub')
    expect(verified).toMatchObject({ code: 0, stderr: '' })
    expect(verified.stdout).toContain('✔ nothing was altered: 1 entry and 1 checkpoint verified')
    expect(verified.stdout).toContain('! 1 entry is not sealed yet, and unprotected')

    await database.sql(
      `ALTER TABLE audit_logs DISABLE TRIGGER ALL; UPDATE audit_logs SET actor_id = 'eve' WHERE seq = 1`,
    )
    const found = await run('verify', '--json')
    expect(found.code).toBe(1)
    expect(JSON.parse(found.stdout)).toMatchObject({
      ok: false,
      findings: [{ kind: 'changed', checkpoint: 1, entry: { action: 'order.update', actor: 'eve' } }],
    })
    expect((await run('verify', '--key', 'audit.pub')).stdout).toContain('Checkpoint 1 proves it')
    expect(await run('verify', '--key', 'audit.config.mjs')).toMatchObject({ code: 1 })
    expect(await run('verify', '--since', 'x')).toMatchObject({ code: 2 })
  })

  it('check a proof', { timeout: 60_000 }, async () => {
    await database.sql(`UPDATE audit_logs SET actor_id = 'ada' WHERE seq = 1`)
    const { proveEntry } = await import('../../src/seal/proof.ts')
    const { logOf } = await import('../reader/readers.ts')
    const [entry] = await database.sql<{ id: string }>('SELECT id FROM audit_logs WHERE seq = 1')
    const proof = await proveEntry(logOf(database), entry?.id ?? '')
    const path = join(directory, 'entry.json')
    await writeFile(path, JSON.stringify(proof))
    const checked = await run('verify-proof', 'entry.json', '--key', 'audit.pub')
    expect(checked).toMatchObject({ code: 0, stderr: '' })
    expect(checked.stdout).toContain('✔ entry 0 of the log example.com/audit')
    await writeFile(path, JSON.stringify(proof).replace('"ada"', '"eve"'))
    const refused = await run('verify-proof', 'entry.json', '--key', 'audit.pub', '--json')
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.stdout)).toEqual({ ok: false, reason: expect.stringContaining('was changed') })
    expect(await run('verify-proof')).toMatchObject({ code: 2 })
  })

  it('say what is missing', { timeout: 60_000 }, async () => {
    const empty = await createProject({})
    const inEmpty = (...args: string[]) =>
      runCli(args, { cwd: empty.directory, env: { DATABASE_URL: database.url } })
    expect(await inEmpty('seal', '--once')).toMatchObject({
      ...{ code: 1, stderr: expect.stringContaining('there is no key to sign with') },
    })
    expect(await inEmpty('verify')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--key audit.pub'),
    })
  })
})
