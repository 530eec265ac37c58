import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { until, write } from '../reader/readers.ts'
import { rowsInFiles } from '../sinks/places.ts'
import { built } from '../support/built.ts'
import { createDatabase } from '../support/database.ts'
import { commandLine, createProject, runCli } from './project.ts'

const database = await createDatabase()
const env = { DATABASE_URL: database.url }

const config = (sinks: string) => `import { files } from ${JSON.stringify(built('sinks/files.js'))}
export default { sinks: [${sinks}] }`

const logged = async () =>
  (await database.sql<{ id: string }>('SELECT id FROM audit_logs ORDER BY transaction_id, seq')).map(
    ({ id }) => id,
  )

describe('ship', () => {
  it('delivers to the sinks of audit.config.ts, once', async () => {
    for (let n = 0; n < 3; n++) await write(database.pool, `by.command${n}`)
    const project = await createProject({
      'audit.config.ts': config(`files({ name: 'once', directory: 'archive' })`),
    })
    const options = { cwd: project.directory, env }
    const { code, stdout, stderr } = await runCli(['ship', '--once'], options)
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'once: 3 entries delivered, none left\n',
      stderr: 'Shipping "audit_logs" to once.\n',
    })
    const rows = await rowsInFiles(join(project.directory, 'archive'))
    expect(rows.map(({ id }) => id)).toEqual(await logged())
    const again = await runCli(['ship', '--once', '--json'], options)
    expect(JSON.parse(again.stdout)).toEqual([
      {
        ...{ name: 'once', delivered: { entries: 0, batches: 0 }, failures: 0, lastError: null },
        lag: { entries: 0, seconds: 0 },
      },
    ])
  })

  it('goes on with what comes until SIGTERM, and status says how far it is and what holds it back', async () => {
    const project = await createProject({
      'audit.config.ts': config(`files({ name: 'on', directory: 'archive' })`),
    })
    const child = spawn(process.execPath, [commandLine(), 'ship'], {
      ...{ cwd: project.directory, stdio: 'ignore', env: { ...process.env, ...env } },
    })
    const exited = once(child, 'exit')
    onTestFinished(() => void child.kill('SIGKILL'))
    const delivered = async () =>
      (await rowsInFiles(join(project.directory, 'archive')).catch(() => [])).length
    await until(async () => (await delivered()) === (await logged()).length, 'all should have come')
    const holding = await database.pool.connect()
    try {
      await holding.query('BEGIN')
      await write(holding, 'held.open')
      await write(database.pool, 'held.back')
      const status = await runCli(['status'], { cwd: project.directory, env })
      expect(status.stdout).toMatch(/^ {2}sink on: 1 behind, the oldest by \d+ s$/m)
      expect(status.stdout).toMatch(
        /^ {2}1 held back by process \d+ \(.+\) in database audit_test_\w+, open since 20/m,
      )
    } finally {
      await holding.query('COMMIT')
      holding.release()
    }
    await until(async () => (await delivered()) === (await logged()).length, 'all should have come')
    child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
    const { stdout } = await runCli(['status', '--json'], { cwd: project.directory, env })
    expect(JSON.parse(stdout).readers.consumers).toContainEqual(
      expect.objectContaining({ name: 'sink:on', entries: 0, isHeld: false }),
    )
  })

  it.each([
    ['without the file', {}, 'There is no audit.config.ts, so there is nowhere to ship to.'],
    [
      'without sinks',
      { 'audit.config.ts': config('') },
      'audit.config.ts has no sinks, so there is nowhere to ship to.',
    ],
    [
      'with what is no sink',
      { 'audit.config.ts': config('{}') },
      "In audit.config.ts: the option sinks can't be used: ✖ must be a sink",
    ],
  ])('says what is missing %s', async (_, files, message) => {
    const project = await createProject(files)
    const { code, stderr } = await runCli(['ship'], { cwd: project.directory, env })
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) })
  })
})
