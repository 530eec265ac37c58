import { readFile } from 'node:fs/promises'
import { build } from 'esbuild'

const source = 'src/ui/browser'

/** The page of the log for browsers: the texts of its files by their names. */
export async function bundlePage() {
  const { outputFiles } = await build({
    entryPoints: { page: `${source}/main.ts` },
    outdir: 'page',
    write: false,
    bundle: true,
    minify: true,
    legalComments: 'none', // dist/LICENSES.txt has them
    format: 'iife',
    target: ['chrome111', 'firefox115', 'safari16.4'],
    logLevel: 'warning',
  })
  const bundled = outputFiles.map(({ path, text }) => [path.split(/[\\/]/).at(-1), text])
  return { ...Object.fromEntries(bundled), 'icon.svg': await readFile(`${source}/icon.svg`, 'utf8') }
}
