import { readFile } from 'node:fs/promises'
import { brotliCompressSync, constants } from 'node:zlib'

/**
 * PostgreSQL's parser as one module without files beside it. `libpg-query` reads its WebAssembly from where `__dirname`
 * says, which no bundle has; here it is part of the text.
 *
 * @param path of the JavaScript that Emscripten made, a CommonJS module beside the WebAssembly
 */
export async function parserModule(path) {
  const script = await readFile(path, 'utf8')
  const wasm = await readFile(path.replace(/js$/, 'wasm'))
  const compressed = brotliCompressSync(wasm, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: wasm.length },
  })
  return `
import * as fs from 'node:fs'
import * as crypto from 'node:crypto'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'

const modules = { 'node:fs': fs, 'node:crypto': crypto }
const wasm = '${compressed.toString('base64')}'

// what Node gives a CommonJS module, so that none of it is looked for in the bundle around
const start = ((require, __dirname, __filename, module, exports, define) => {
${script}
return PgQueryModule
})((name) => modules[name], '', '')

export default async function startParser() {
  const binary = await promisify(brotliDecompress)(Buffer.from(wasm, 'base64'))
  return new Promise((resolve, reject) => {
    const instantiateWasm = (imports, done) => {
      WebAssembly.instantiate(binary, imports).then(({ instance }) => done(instance)).catch(reject)
    }
    start({ instantiateWasm }).then(resolve, reject)
  })
}
`
}
