// Builds the JavaScript of the package into dist; TypeScript adds the declarations. All that the library depends on goes
// inside, and all that is no JavaScript becomes text in a module: an application loads few files, and whatever bundles it
// needs no settings.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { build } from 'esbuild'
import { bundlePage } from './bundle-page.mjs'
import { parserModule } from './parser-module.mjs'

const {
  dependencies,
  peerDependencies,
  exports: entries,
} = JSON.parse(await readFile('package.json', 'utf8'))
const page = await bundlePage()

await rm('dist', { recursive: true, force: true })
await mkdir('dist/ui/assets', { recursive: true })
// the tests, which run the sources, read the page from here
for (const [name, text] of Object.entries(page)) await writeFile(`dist/ui/assets/${name}`, text)

/** What the package exports, as paths in src. */
const exported = Object.values(entries).flatMap((entry) =>
  typeof entry === 'string' ? [] : [entry.default.replace(/^\.\/dist\/(.+)\.js$/, '$1')],
)
const inputs = [
  ...(await bundle(exported)),
  // by itself: modules that it shared with the library would be cut out of the library's one file
  ...(await bundle(['cli/main'])),
]
await writeFile('dist/LICENSES.txt', await licences(inputs))

/** @returns the files that went inside */
async function bundle(paths) {
  const { metafile } = await build({
    entryPoints: paths.map((name) => ({ in: `src/${name}.ts`, out: name })),
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    external: Object.keys({ ...dependencies, ...peerDependencies }),
    legalComments: 'none', // the licences are in a file of their own, whole
    metafile: true,
    logLevel: 'warning',
    plugins: [
      replace(/[\\/]libpg-query[\\/]wasm[\\/]libpg-query\.js$/, ({ path }) => parserModule(path)),
      replace(
        /[\\/]ui[\\/]server[\\/]asset-files\.ts$/,
        () => `const files = ${JSON.stringify(page)}\nexport const readAsset = async (name) => files[name]`,
      ),
    ],
  })
  return Object.keys(metafile.inputs)
}

/** An esbuild plugin that puts other contents in the place of a module. */
function replace(filter, contents) {
  return {
    name: `replace ${filter}`,
    setup: ({ onLoad }) =>
      onLoad({ filter }, async (module) => ({ contents: await contents(module), loader: 'js' })),
  }
}

/** The licences of what went inside, those of the page's and the parser's parts included. */
async function licences(inputs) {
  const packages = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [])
  const names = [...new Set([...packages, 'preact', 'htm', 'uplot'])].sort()
  const texts = await Promise.all(names.map(async (name) => `${name}\n\n${await licence(name)}`))
  const inside = await readFile('scripts/parser-licences.txt', 'utf8') // which libpg-query does not repeat
  return [...texts, inside].join('\n----\n\n')
}

async function licence(name) {
  const directory = `node_modules/${name}`
  for (const file of ['LICENSE', 'LICENSE.md', 'license']) {
    const text = await readFile(`${directory}/${file}`, 'utf8').catch(() => undefined)
    if (text !== undefined) return text
  }
  throw new Error(`${directory} has no licence that could be copied`)
}
