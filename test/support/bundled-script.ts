import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll } from 'vitest'

/**
 * Makes JavaScript of a script that a test starts as a process, once for all the processes of the test file: compiled by each of
 * them, the library takes seconds to start.
 *
 * @returns the path, for `node`
 */
export async function bundledScript(script: URL): Promise<string> {
  const name = basename(fileURLToPath(script), '.ts')
  const outfile = resolve('test/generated/processes', `${name}-${randomBytes(6).toString('hex')}.mjs`)
  await build({
    ...{ entryPoints: [fileURLToPath(script)], outfile, bundle: true, packages: 'external' },
    ...{ platform: 'node', format: 'esm', target: 'node20.19', sourcemap: 'inline', logLevel: 'warning' },
  })
  afterAll(() => rm(outfile))
  return outfile
}
