// Runs the oracle suite for longer, from a seed, or on a schema of your own.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { generateForOracle, oracleSchemas } from './prisma-generate.mjs'

const help = `npm run test:oracle -- [--runs N] [--seed S] [--schema NAME|FILE]

  --runs N       how many random operations to compare, at least (10000)
  --seed S       which ones (another seed each time)
  --schema NAME  on one schema only: ${Object.keys(oracleSchemas).join(', ')}
  --schema FILE  on a schema.prisma of your own (PostgreSQL, in one file, no multiSchema)

POSTGRES_VERSION=14 to 18 chooses the server, DATABASE_URL uses a running one.
`

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 2_147_483_647) },
    schema: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const isNatural = (text) => /^\d{1,9}$/.test(text) && Number(text) > 0
const isFile = values.schema !== undefined && !(values.schema in oracleSchemas)

if (values.help || !isNatural(values.runs) || !/^\d+$/.test(values.seed)) {
  process.stdout.write(help)
  process.exitCode = values.help ? 0 : 2
} else if (isFile && !existsSync(values.schema)) {
  process.stderr.write(`There is no schema and no file ${values.schema}.\n\n${help}`)
  process.exitCode = 2
} else {
  if (isFile) generateForOracle('own', values.schema)
  process.stdout.write(`Seed ${values.seed}\n`)
  const { status } = spawnSync(
    'npx',
    ['vitest', 'run', 'test/oracle/oracle.test.ts', '--disable-console-intercept'],
    {
      stdio: 'inherit',
      env: {
        ...process.env,
        ORACLE_RUNS: values.runs,
        ORACLE_SEED: values.seed,
        // one operation takes a few hundredths of a second; a machine that is ten times slower has the time, too
        ORACLE_SECONDS: String(Math.max(600, Number(values.runs) / 3)),
        ...(isFile && { ORACLE_FILE: values.schema }),
        ...(values.schema && { ORACLE_SCHEMA: isFile ? 'own' : values.schema }),
      },
      shell: process.platform === 'win32',
    },
  )
  process.exitCode = status ?? 1
}
