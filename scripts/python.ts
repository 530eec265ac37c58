// Tests the Python package: types, lint, and pytest against the PostgreSQL that the other tests use. Arguments go to pytest.
import { spawnSync } from 'node:child_process'
import pg from 'pg'
import { createTables, databaseUrl } from '../test/support/server.ts'
import { startServer } from './postgres.ts'
import { hasPackage, preparePython, pythonFolder } from './python-environment.ts'

const python = preparePython()

function run(module: string, args: readonly string[] = [], env: Record<string, string> = {}): boolean {
  // what hangs is not fine
  const options = {
    cwd: pythonFolder,
    stdio: 'inherit',
    env: { ...process.env, ...env },
    timeout: 600_000,
  } as const
  return spawnSync(python, ['-m', module, ...args], options).status === 0
}

async function pytest(): Promise<boolean> {
  const server = await startServer()
  const template = `audit_python_${process.pid}`
  const admin = new pg.Client(server.url)
  await admin.connect()
  try {
    await admin.query(`CREATE DATABASE ${template}`)
    await createTables(databaseUrl(server.url, template))
    const env = { AUDIT_SERVER_URL: server.url, AUDIT_TEMPLATE: template }
    return run('pytest', process.argv.slice(2), env)
  } finally {
    await admin.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`)
    await admin.end()
    await server.stop()
  }
}

const linted = ['.', '../examples/fastapi']
// the one package that Debian lacks: without an index of pip there is no lint, and that is said
const isLinted = hasPackage('ruff')
if (!isLinted) process.stderr.write('Not linted: pip has no index that brings ruff\n')
const passed = {
  types: run('mypy', ['prisma_audit', 'tests/typed.py']),
  lint: !isLinted || run('ruff', ['check', '--config', 'pyproject.toml', ...linted]),
  format: !isLinted || run('ruff', ['format', '--check', '--config', 'pyproject.toml', ...linted]),
  tests: await pytest(),
}
const failed = Object.entries(passed).flatMap(([name, isFine]) => (isFine ? [] : [name]))
if (failed.length > 0) process.stderr.write(`Not fine: ${failed.join(', ')}\n`)
process.exitCode = failed.length > 0 ? 1 : 0
