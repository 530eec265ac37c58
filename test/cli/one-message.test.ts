import { randomBytes } from 'node:crypto'
import { expect, it, vi } from 'vitest'
import { runCommandLine } from '../../src/cli/command-line.ts'
import { createDatabase } from '../support/database.ts'
import { createProject, datasource } from './project.ts'

const database = await createDatabase()

/** One command for each way in which a command comes to the log. */
const asking = [['status'], ['history', 'User', '1'], ['tail'], ['export'], ['ui', '--port', '0']]

interface Mistake {
  readonly url?: string | undefined
  readonly files?: Record<string, string>
  readonly args?: readonly string[]
  readonly commands?: readonly string[][]
}

/** What the commands say of a mistake: each the same, once, and nothing on the standard output. */
async function saidOf({ url = database.url, files = {}, args = [], commands = asking }: Mistake) {
  const { directory } = await createProject(files)
  const said = new Set<string>()
  for (const command of commands) {
    vi.stubEnv('DATABASE_URL', url)
    vi.spyOn(process, 'cwd').mockReturnValue(directory)
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const code = await runCommandLine([...command, ...args])
    said.add(`${stderr.mock.calls.join('')}exit code ${code}`)
    expect(stdout).not.toHaveBeenCalled()
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  }
  return [...said]
}

const form = 'postgresql://user:password@host:5432/database.'
const check = 'and the connection string: DATABASE_URL, or else the Prisma config.'

it.each([
  [
    '',
    `DATABASE_URL is not set, so there is no database to ask. Set it to the connection string of your application.`,
  ],
  ['mysql://ada:s3cret@host/shop', `DATABASE_URL is a mysql: URL and no PostgreSQL URL. Give one: ${form}`],
  ['file:./dev.db', `DATABASE_URL is a file: URL and no PostgreSQL URL. Give one: ${form}`],
  [
    'prisma+postgres://localhost:51213/?api_key=s3cret',
    `DATABASE_URL is a prisma+postgres: URL and no PostgreSQL URL. Prisma answers there, not PostgreSQL. Give that of the database behind it: ${form}`,
  ],
  ['ada:s3cret@host/shop', `DATABASE_URL is no PostgreSQL URL. Give one: ${form}`],
  [
    'postgresql://ada:12/s3cret@host/shop',
    `DATABASE_URL is a PostgreSQL URL that can't be read. In user name and password write #, /, ?, % and @ percent-encoded: # is %23. The form is ${form}`,
  ],
  [
    'postgresql://ada:s3cret@127.0.0.1:1/shop',
    `No database answers at 127.0.0.1:1. Check that the server runs, ${check}`,
  ],
])(
  'every command that asks the database says the same of the URL %s, without the password',
  async (url, message) => {
    expect(await saidOf({ url })).toEqual([`${message}\nexit code 1`])
  },
)

it('every command names host and port of a server that refuses the connection, and why', async () => {
  const url = new URL(database.url)
  const address = `${url.hostname}:${url.port}`
  url.pathname = '/no_such_database'
  expect(await saidOf({ url: url.href })).toEqual([
    `The database at ${address} refused the connection: database "no_such_database" does not exist. Check user, password and database, ${check}\nexit code 1`,
  ])
})

it('every command that reads entries says the same of a log that is not there, or that its role may not read', async () => {
  const commands = asking.slice(1)
  expect(await saidOf({ commands, args: ['--table', 'nowhere'] })).toEqual([
    `The audit log's table "nowhere" is not in the database, or lacks a column or a migration, so it can't be asked. Run "npx prisma-extension-audit init" and "npx prisma migrate deploy", or name the log's table with the option table. PostgreSQL said: relation "nowhere" does not exist.\nexit code 1`,
  ])
  const role = `reader_${randomBytes(4).toString('hex')}`
  const url = new URL(database.url)
  ;[url.username, url.password] = [role, 's3cret']
  await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 's3cret'`)
  try {
    expect(await saidOf({ commands, url: url.href })).toEqual([
      `The audit log "audit_logs" could not be read: the database refused with SQLSTATE 42501. GRANT the role SELECT on the table, and ask again. PostgreSQL said: permission denied for table audit_logs.\nexit code 1`,
    ])
  } finally {
    await database.sql(`DROP ROLE ${role}`)
  }
})

const noName =
  'The table "a.b.c" is not a table name. Give "name" or "schema.name", each at most 63 bytes; a name with dots or spaces goes in double quotes.'
const all = [...asking, ['init'], ['triggers', '--check']]
const files = { 'schema.prisma': `${datasource()}\nmodel User {\n  id Int @id\n}\n` }

it('every command says the same of a table that is no name, on the command line and in audit.config', async () => {
  expect(await saidOf({ files, commands: all, args: ['--table', 'a.b.c'] })).toEqual([
    `${noName}\nSee: npx prisma-extension-audit --help\nexit code 2`,
  ])
  const configured = { ...files, 'audit.config.mjs': `export default { table: 'a.b.c' }` }
  expect(await saidOf({ files: configured, commands: all })).toEqual([
    `In audit.config.mjs: ${noName}\nexit code 1`,
  ])
})

it('every command answers a usage error with one line and a pointer to --help', async () => {
  const commands = [...all, ['history']]
  expect(await saidOf({ files, commands, args: ['--bogus'] })).toEqual([
    `Unknown option '--bogus'.\nSee: npx prisma-extension-audit --help\nexit code 2`,
  ])
  for (const args of [
    ['tail', '--limit', '0'],
    ['tail', '--limit'],
    ['export', '--format', 'pdf'],
    ['export', '--outcome', 'maybe'],
    ['tail', '--transaction', 'x'],
    ['history', 'User'],
    ['nonsense'],
    [],
  ]) {
    const [said] = await saidOf({ commands: [args] })
    expect(said).toMatch(/^[^\n]+\nSee: npx prisma-extension-audit --help\nexit code 2$/)
  }
})

it('a command that has ended listens for no Ctrl-C any more', async () => {
  const before = process.listenerCount('SIGINT')
  await saidOf({ url: '', commands: [['tail'], ['export'], ['verify']] })
  expect(process.listenerCount('SIGINT')).toBe(before)
})
