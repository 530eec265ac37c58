import { readFile } from 'node:fs/promises'

/**
 * Reads a file of the web page that the build has made. In the package, the files themselves stand in the place of this
 * module (scripts/build.mjs), since bundlers would lose them.
 */
export function readAsset(name: string): Promise<string> {
  return readFile(new URL(`../../../dist/ui/assets/${name}`, import.meta.url), 'utf8')
}
