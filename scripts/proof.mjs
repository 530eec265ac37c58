// Runs the suites of concurrency, faults and security for longer.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const help = `npm run test:proof -- [--runs N] [--seed S]

  --runs N  how many times as long as in npm test (10)
  --seed S  what the writers choose (something else each time)

POSTGRES_VERSION=14 to 18 chooses the server.
`

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    help: { type: 'boolean', default: false },
  },
})

if (values.help || !/^[1-9]\d{0,4}$/.test(values.runs) || !/^\d{1,9}$/.test(values.seed)) {
  process.stdout.write(help)
  process.exitCode = values.help ? 0 : 2
} else {
  process.stdout.write(`Seed ${values.seed}\n`)
  const { status } = spawnSync('npx', ['vitest', 'run', 'test/proof'], {
    stdio: 'inherit',
    env: { ...process.env, PROOF_FACTOR: values.runs, PROOF_SEED: values.seed },
    shell: process.platform === 'win32',
  })
  process.exitCode = status ?? 1
}
