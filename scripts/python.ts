// Tests the Python package: types, lint, and pytest against the PostgreSQL that the other tests use.
//
// The tools come from a virtual environment, python/.venv. It sees the packages of the system (Debian has all of them), and
// installs from pyproject.toml what is missing. PYTHON says which interpreter, by default /usr/bin/python3 where it is.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { createTables, databaseUrl } from '../test/support/server.ts'
import { startServer } from './postgres.ts'

const folder = join(import.meta.dirname, '..', 'python')
const environment = join(folder, '.venv')
const python = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
const system = process.env.PYTHON ?? (existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3')

function run(command: string, args: readonly string[], env: Record<string, string> = {}): boolean {
  const { status, error } = spawnSync(command, args, {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  if (error) throw error
  return status === 0
}

function must(done: boolean, problem: string): void {
  if (done) return
  process.stderr.write(`${problem}\n`)
  process.exit(1)
}

function prepareEnvironment(): void {
  if (!existsSync(python)) {
    must(
      run(system, ['-m', 'venv', '--system-site-packages', environment]),
      `${system} can't make a virtual environment: on Debian, apt-get install python3-venv.`,
    )
  }
  const missing = spawnSync(python, [join(folder, 'tests', 'missing.py')], { cwd: folder, encoding: 'utf8' })
  must(missing.status === 0, `python/tests/missing.py failed: ${missing.stderr}`)
  const packages = missing.stdout.split('\n').filter((line) => line !== '')
  if (packages.length === 0) return
  process.stdout.write(`Installing ${packages.join(', ')}\n`)
  must(
    run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]),
    'The packages could not be installed: make them available to the interpreter, or an index to pip.',
  )
}

async function pytest(): Promise<boolean> {
  const server = await startServer()
  const template = `audit_python_${process.pid}`
  const admin = new pg.Client(server.url)
  await admin.connect()
  try {
    await admin.query(`CREATE DATABASE ${template}`)
    await createTables(databaseUrl(server.url, template))
    return run(python, ['-m', 'pytest', ...process.argv.slice(2)], {
      AUDIT_SERVER_URL: server.url,
      AUDIT_TEMPLATE: template,
    })
  } finally {
    await admin.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`)
    await admin.end()
    await server.stop()
  }
}

prepareEnvironment()
const checks: Record<string, () => boolean | Promise<boolean>> = {
  mypy: () => run(python, ['-m', 'mypy', 'prisma_audit']),
  'ruff check': () => run(python, ['-m', 'ruff', 'check', '.']),
  'ruff format': () => run(python, ['-m', 'ruff', 'format', '--check', '.']),
  pytest,
}
const failed: string[] = []
for (const [name, check] of Object.entries(checks)) if (!(await check())) failed.push(name)
if (failed.length > 0) process.stderr.write(`Failed: ${failed.join(', ')}\n`)
process.exitCode = failed.length > 0 ? 1 : 0
