import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { version } from '../../src/version.ts'

const { dependencies, peerDependencies, exports: entries, bin } = manifest

/** The packages that a file, and all that it imports from the package, import; `node:` ones too. */
async function importsOf(file: string): Promise<string[]> {
  const names = file.endsWith('.d.ts') ? declarationImports(file) : await scriptImports(file)
  return [...new Set(names.map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name))].sort()
}

async function scriptImports(file: string): Promise<string[]> {
  const { metafile } = await build({
    ...{ entryPoints: [file], bundle: true, packages: 'external', format: 'esm', platform: 'node' },
    ...{ write: false, metafile: true, outdir: 'nowhere', logLevel: 'silent' },
  })
  return Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.filter(({ external }) => external).map(({ path }) => path),
  )
}

function declarationImports(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return []
  seen.add(file)
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '')
  return [...text.matchAll(/(?:\bfrom|\bimport\()\s*['"]([\w@.][^'"\s]*)['"]/g)].flatMap(([, name = '']) =>
    name.startsWith('.')
      ? declarationImports(join(dirname(file), name.replace(/\.[jt]s$/, '.d.ts')), seen)
      : name,
  )
}

const declared = new Set([...Object.keys({ ...dependencies, ...peerDependencies })])
const files = [
  ...Object.values(bin),
  ...Object.values(entries).flatMap((entry) =>
    typeof entry === 'string' ? [] : [entry.default, entry.types],
  ),
]

it.each(files)('%s imports nothing but what package.json declares', async (file) => {
  const undeclared = (await importsOf(file)).filter(
    (name) => !name.startsWith('node:') && !declared.has(name),
  )
  expect(undeclared).toEqual([])
})

// all versions of DuckDB's package are prereleases to npm: 1.5.6-r.1
it.each(Object.entries(peerDependencies))('npm accepts the peer %s that is tested', (name, range) => {
  const installed = JSON.parse(readFileSync(join('node_modules', name, 'package.json'), 'utf8'))
  if (installed.version.includes('-')) expect(range, 'no range but * has a prerelease').toBe('*')
  else expect(range).toContain(installed.version.split('.')[0])
})

it('the version is the one of package.json', () => {
  expect(version).toBe(manifest.version)
})

it('the library needs Prisma alone', async () => {
  const names = await importsOf('dist/index.js')
  expect(names.filter((name) => !name.startsWith('node:'))).toEqual(['@prisma/client'])
})
