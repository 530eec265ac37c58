// Stands in for the binary that Prisma downloads, so that `prisma migrate` works offline: the same engine as WebAssembly,
// for whoever runs scripts/schema-engine, which PRISMA_SCHEMA_ENGINE_BINARY may name. It speaks JSON-RPC, a line for each
// message.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { driftScript, withEngine } from './schema-engine.ts'

interface Request {
  readonly id: number
  readonly method: string
  readonly params: unknown
}

interface ToSchema {
  readonly migrationName: string
  readonly schema: { readonly files: readonly { readonly content: string }[] }
}

const { values, positionals } = parseArgs({
  options: {
    datamodels: { type: 'string', multiple: true, default: [] },
    datasource: { type: 'string', default: '{}' },
  },
  allowPositionals: true,
})
const { url } = JSON.parse(values.datasource) as { url: string }

// `cli can-connect-to-database`, `cli create-database`: yes, and it is there
if (positionals[0] === 'cli') process.exit(0)

const files = values.datamodels.map((path): [string, string] => [path, readFileSync(path, 'utf8')])
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line) as Request
  const answer = await call(method, params).then(
    (result) => ({ result: result ?? null }),
    ({ message }: Error) => ({ error: { code: 4466, message, data: {} } }),
  )
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`)
}

async function call(method: string, params: unknown): Promise<unknown> {
  // for these the engine wants a shadow database and does not take the adapter's; the database itself is as its migrations are
  if (method === 'evaluateDataLoss') {
    const script = await scriptTo(params as ToSchema)
    return { migrationSteps: script.includes(';') ? 1 : 0, unexecutableSteps: [], warnings: [] }
  }
  if (method === 'createMigration') {
    const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
    const script = await scriptTo(params as ToSchema)
    return {
      ...{
        connectorType: 'postgresql',
        extension: 'sql',
        migrationScript: script.includes(';') ? script : null,
      },
      generatedMigrationName: `${time}_${(params as ToSchema).migrationName}`,
    }
  }
  return withEngine(url, files, async (engine) => {
    const methods = engine as unknown as Record<string, (params: unknown) => Promise<unknown>>
    return methods[method]?.call(engine, params)
  })
}

function scriptTo({ schema }: ToSchema): Promise<string> {
  return driftScript(url, schema.files.map(({ content }) => content).join('\n'))
}
