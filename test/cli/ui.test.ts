import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { createDatabase } from '../support/database.ts'
import { commandLine, runCli } from './project.ts'

const database = await createDatabase()
const env = { DATABASE_URL: database.url }

describe('prisma-extension-audit ui', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'prints its address, answers, and ends on %s with exit code 0',
    async (signal) => {
      const child = spawn(process.execPath, [commandLine(), 'ui', '--port', '0'], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const ended = new Promise((done) => child.once('exit', done))
      const greeting = await new Promise<string>((done) =>
        child.stdout.once('data', (text) => done(String(text))),
      )
      const address = /http:\/\/127\.0\.0\.1:\d+\//.exec(greeting)?.[0] as string
      expect(greeting).toMatch(
        /^The audit log of audit_test_\w+ · audit_logs, read-only:\n\n {2}http\S+\n\nCtrl-C ends it\.\n$/,
      )
      // kept alive, as a browser does
      expect((await fetch(`${address}api/entries`)).status).toBe(200)
      child.kill(signal)
      expect(await ended).toBe(0)
    },
  )

  it.each([
    [['--port', 'many'], '--port must be a number from 0 to 65535, and "many" is none.'],
    [['--port', '70000'], '--port must be a number from 0 to 65535, and "70000" is none.'],
    [
      ['--token', 'short'],
      '--token needs 16 characters or more, without spaces. Leave it out and one is made.',
    ],
    [['--table', 'a.b.c'], 'The table "a.b.c" is not a table name.'],
    [['--nonsense'], "Unknown option '--nonsense'"],
  ])('refuses %j with exit code 2', async (args, message) => {
    const { code, stderr } = await runCli(['ui', ...args], { env })
    expect(stderr).toContain(message)
    expect(code).toBe(2)
  })

  it('says that the table is missing, with exit code 1', async () => {
    const { code, stdout, stderr } = await runCli(['ui', '--table', 'nowhere', '--port', '0'], { env })
    expect(stderr).toMatch(
      /^The audit log's table "nowhere" is not in the database, .* PostgreSQL said: relation "nowhere" does not exist\.\n$/,
    )
    expect([code, stdout]).toEqual([1, ''])
  })

  it('says that the database is not there, with exit code 1 and without the password', async () => {
    const unreachable = { DATABASE_URL: 'postgresql://ada:s3cret@127.0.0.1:1/none' }
    const { code, stderr } = await runCli(['ui', '--port', '0'], { env: unreachable })
    expect(stderr).toMatch(/^No database answers at 127\.0\.0\.1:1\. /)
    expect(stderr).not.toContain('s3cret')
    expect(code).toBe(1)
  })
})
