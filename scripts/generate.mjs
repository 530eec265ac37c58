// Generates the Prisma clients of the tests, the examples and the benchmark. `prisma generate` looks for a schema
// engine that it never runs; naming any executable keeps it from downloading one, so this works offline.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const prisma = join(dirname(require.resolve('prisma/package.json')), 'build', 'index.js')
const schemas = [
  'test/prisma/schema.prisma',
  'examples/demo/prisma/schema.prisma',
  'examples/express/prisma/schema.prisma',
  'examples/hono/prisma/schema.prisma',
  'examples/nestjs/prisma/schema.prisma',
  'bench/prisma/schema.prisma',
]

for (const schema of schemas.filter((file) => existsSync(file))) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [prisma, 'generate', '--no-hints', '--schema', schema],
    {
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
      encoding: 'utf8',
    },
  )
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}`)
    process.exit(status ?? 1)
  }
}
