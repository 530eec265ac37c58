// Runs tests with triggers on every table, and on half of them: entries must be the same as without, but for what
// test/support/differences.ts lists.
import { spawnSync } from 'node:child_process'

const suite =
  process.argv.length > 2
    ? process.argv.slice(2)
    : [
        'test/capture',
        'test/transactions',
        'test/context',
        'test/failures',
        'test/log',
        'test/extensions',
        'test/prisma-7',
        'test/proof',
        'test/oracle',
      ]
const failed = []

for (const watched of ['all', 'half']) {
  process.stdout.write(`\nTriggers on ${watched} of the tables\n`)
  const { status } = spawnSync('npx', ['vitest', 'run', '--reporter=dot', ...suite], {
    stdio: 'inherit',
    env: { ORACLE_RUNS: '300', ...process.env, AUDIT_WATCHED: watched },
    shell: process.platform === 'win32',
  })
  if (status !== 0) failed.push(watched)
}

process.stdout.write(
  failed.length > 0 ? `\nFailed with triggers on ${failed.join(', ')}\n` : '\nPassed with triggers\n',
)
process.exitCode = failed.length > 0 ? 1 : 0
