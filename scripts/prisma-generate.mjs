import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const require = createRequire(import.meta.url)
const prisma = join(dirname(require.resolve('prisma/package.json')), 'build', 'index.js')

/**
 * Runs `prisma generate`. It looks for a schema engine that it never runs; naming any executable keeps it from
 * downloading one, so this works offline.
 */
export function prismaGenerate(schema) {
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

/** The schemas that the oracle suite knows by name. */
export const oracleSchemas = {
  'test-schema': 'test/prisma/schema.prisma',
  chinook: 'test/prisma/real-world/chinook.prisma',
  pagila: 'test/prisma/real-world/pagila.prisma',
}

/** Writes a schema's client and data model to `test/generated/oracle/<name>/`. */
export function generateForOracle(name, file) {
  generateWithDataModel(resolve('test/generated/oracle', name), file)
}

/** Writes a schema's client and data model to a directory, whatever generators it names itself. */
export function generateWithDataModel(directory, file) {
  const own = `
generator client {
  provider = "prisma-client"
  output   = "./client"
}

generator dataModel {
  provider = ${JSON.stringify(`node "${resolve('scripts/write-data-model.mjs')}"`)}
  output   = "./data-model.json"
}
`
  const schema = readFileSync(file, 'utf8').replace(/^generator \w+ \{[^}]*^\}$/gm, '')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'schema.prisma'), schema + own)
  prismaGenerate(join(directory, 'schema.prisma'))
}
