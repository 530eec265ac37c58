// A Prisma generator (https://pris.ly/d/generators) that writes what Prisma knows of a schema to a JSON file:
// models, fields, keys and relations, which the client has not at run time.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'

const answer = (id, result) => process.stderr.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  if (method === 'getManifest') {
    answer(id, { manifest: { prettyName: 'data model', defaultOutput: './data-model.json' } })
    return
  }
  const { value: file } = params.generator.output
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(params.dmmf.datamodel))
  answer(id, null)
})
