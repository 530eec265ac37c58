// Runs the capture suite on every PostgreSQL version that the library supports, one embedded server after another, or on
// those in POSTGRES_VERSIONS.
import { spawnSync } from 'node:child_process'

const versions = (process.env.POSTGRES_VERSIONS ?? '14 15 16 17 18').split(' ')
const suite =
  process.argv.length > 2
    ? process.argv.slice(2)
    : ['test/capture', 'test/transactions', 'test/options', 'test/migration']
const failed = []

for (const version of versions) {
  process.stdout.write(`\nPostgreSQL ${version}\n`)
  const { status } = spawnSync('npx', ['vitest', 'run', '--reporter=dot', ...suite], {
    stdio: 'inherit',
    env: { ...process.env, POSTGRES_VERSION: version, DATABASE_URL: '' },
    shell: process.platform === 'win32',
  })
  if (status !== 0) failed.push(version)
}

process.stdout.write(
  failed.length > 0
    ? `\nFailed on PostgreSQL ${failed.join(', ')}\n`
    : `\nPassed on PostgreSQL ${versions.join(', ')}\n`,
)
process.exitCode = failed.length > 0 ? 1 : 0
