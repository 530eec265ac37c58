// Generates the Prisma clients of the tests, the examples and the benchmark.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateAuditSchema, parseSchemaText } from 'prisma-audit'
import {
  generateForOracle,
  generateWithDataModel,
  oracleSchemas,
  prismaGenerate,
} from './prisma-generate.mjs'

const schemas = [
  'test/prisma/schema.prisma',
  'test/prisma/quotes.prisma',
  'examples/demo/prisma/schema.prisma',
  'examples/express/prisma/schema.prisma',
  'examples/hono/prisma/schema.prisma',
  'examples/nestjs/prisma/schema.prisma',
  'bench/prisma/schema.prisma',
  composePeersSchema('bench/peers/prisma', 'bench/generated/peers/prisma'),
]

for (const schema of schemas.filter((file) => existsSync(file))) prismaGenerate(schema)
for (const [name, file] of Object.entries(oracleSchemas)) generateForOracle(name, file)
generateWithDataModel('test/generated/extensions', 'test/prisma/extensions.prisma')
generateForOracle('peers', 'bench/peers/prisma/application.prisma')

/** The application's models and the log models of all contenders: one client for all of them. */
function composePeersSchema(source, target) {
  mkdirSync(target, { recursive: true })
  const application = readFileSync(join(source, 'application.prisma'), 'utf8')
  const { cleanSchema, metadata } = parseSchemaText(application.replace(/^model /gm, '[Auditable]\nmodel '))
  writeFileSync(join(target, 'schema.prisma'), cleanSchema)
  writeFileSync(join(target, 'prisma-audit.prisma'), generateAuditSchema(metadata))
  writeFileSync(join(target, 'prisma-audit.json'), JSON.stringify(metadata))
  copyFileSync(join(source, 'audit-log.prisma'), join(target, 'audit-log.prisma'))
  return target
}
