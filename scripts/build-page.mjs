// Bundles the page of the log for browsers: dist/ui/assets, which the handler serves.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { build } from 'esbuild'

const [source, target] = ['src/ui/browser', 'dist/ui/assets']

await mkdir(target, { recursive: true })
await build({
  entryPoints: { page: `${source}/main.ts` },
  outdir: target,
  bundle: true,
  minify: true,
  legalComments: 'none', // their licences follow below, whole
  format: 'iife',
  target: ['chrome111', 'firefox115', 'safari16.4'],
  logLevel: 'warning',
})
await copyFile(`${source}/icon.svg`, `${target}/icon.svg`)

const licences = await Promise.all(
  ['preact', 'htm', 'uplot'].map(
    async (name) => `${name}\n\n${await readFile(`node_modules/${name}/LICENSE`, 'utf8')}`,
  ),
)
await writeFile(`${target}/LICENSES.txt`, licences.join('\n----\n\n'))
