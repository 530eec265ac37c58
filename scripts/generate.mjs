// Generates the Prisma clients of the tests, the examples and the benchmark: all of them, or those of the folders that are
// named, such as `npm run generate -- examples/demo`.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateAuditSchema, parseSchemaText } from 'prisma-audit'
import { largeModels } from './large-schema.mjs'
import {
  generateForOracle,
  generateWithDataModel,
  oracleSchemas,
  prismaGenerate,
} from './prisma-generate.mjs'

const folders = {
  test: () => {
    prismaGenerate('test/prisma/schema.prisma')
    prismaGenerate('test/prisma/quotes.prisma')
    for (const [name, file] of Object.entries(oracleSchemas)) generateForOracle(name, file)
    generateWithDataModel('test/generated/extensions', 'test/prisma/extensions.prisma')
    generateForOracle('large', writeSchema('test/generated/large.prisma', `${datasource}\n${largeModels()}`))
  },
  'examples/quick-start': () => prismaGenerate('examples/quick-start/prisma/schema.prisma'),
  'examples/demo': () => prismaGenerate('examples/demo/prisma/schema.prisma'),
  'examples/express': () => prismaGenerate('examples/express/prisma/schema.prisma'),
  'examples/hono': () => prismaGenerate('examples/hono/prisma/schema.prisma'),
  'examples/nestjs': () => prismaGenerate('examples/nestjs/prisma/schema.prisma'),
  bench: () => {
    const models = readFileSync('bench/prisma/schema.prisma', 'utf8')
    prismaGenerate(writeSchema('bench/generated/schema.prisma', `${models}\n${largeModels()}`))
    prismaGenerate(composePeersSchema('bench/peers/prisma', 'bench/generated/peers/prisma'))
    generateForOracle('peers', 'bench/peers/prisma/application.prisma')
  },
}

const datasource = 'datasource db {\n  provider = "postgresql"\n}\n'

const wanted = process.argv.slice(2)
for (const [folder, generate] of Object.entries(folders)) {
  if (wanted.length === 0 || wanted.some((one) => folder === one || folder.startsWith(`${one}/`))) generate()
}

/** Writes a schema to a file; gives its name. */
function writeSchema(file, text) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${text}\n`)
  return file
}

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
