// Generates the Prisma clients of the tests, the examples and the benchmark.
import { existsSync } from 'node:fs'
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
]

for (const schema of schemas.filter((file) => existsSync(file))) prismaGenerate(schema)
for (const [name, file] of Object.entries(oracleSchemas)) generateForOracle(name, file)
generateWithDataModel('test/generated/extensions', 'test/prisma/extensions.prisma')
