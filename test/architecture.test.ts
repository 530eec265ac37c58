import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * The rooms of the library from the bottom to the top. A file imports from its own room and from those further down;
 * rooms on one line don't know each other.
 */
const order = [
  ['errors', 'id', 'secret-names', 'version'],
  ['one-per-process'],
  ['postgres'],
  ['models'],
  ['values'],
  ['context'],
  ['attribution'],
  ['sink', 'anchor'],
  ['archive-contract'],
  ['seal-options', 'retention-options'],
  ['seal-schema', 'sink-schema', 'retention-schema'],
  ['options'],
  ['config'],
  ['log'],
  ['capture'],
  ['triggers'],
  ['events', 'failures', 'reads', 'search', 'time-travel'],
  ['reader'],
  ['seal', 'sinks'],
  ['archive', 'parquet', 'anchors'],
  ['retention'],
  ['audit'],
  ['prisma-7'],
  ['start-maintaining', 'start-sealing', 'start-shipping', 'verify-archive', 'with-audit'],
  ['http', 'ui'],
  ['cli'],
  ['index'],
]

interface SourceFile {
  readonly path: string
  readonly room: string
  readonly text: string
  readonly imports: readonly string[]
}

const sourceFiles = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .map((path): SourceFile => {
    const text = readFileSync(join('src', path), 'utf8')
    const specifiers = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(
      ([, specifier = '']) => specifier,
    )
    return {
      path,
      room: roomOf(path),
      text,
      imports: specifiers.map((specifier) => join(dirname(path), specifier)),
    }
  })

function roomOf(path: string): string {
  return (path.split('/')[0] ?? '').replace(/\.ts$/, '')
}

function levelOf(room: string): number {
  return order.findIndex((line) => line.includes(room))
}

describe('the rooms of src', () => {
  it('are all in the order', () => {
    expect(sourceFiles.filter(({ room }) => levelOf(room) === -1).map(({ path }) => path)).toEqual([])
  })

  it('import from below only', () => {
    const upwards = sourceFiles.flatMap(({ path, room, imports }) =>
      imports
        .filter((target) => roomOf(target) !== room && levelOf(roomOf(target)) >= levelOf(room))
        .map((target) => `${path} imports ${target}`),
    )
    expect(upwards).toEqual([])
  })

  it('have no circle of files', () => {
    const files = new Map(sourceFiles.map((file) => [file.path, file]))
    const done = new Set<string>()
    const circles: string[] = []
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      else if (!done.has(path)) {
        for (const target of files.get(path)?.imports ?? []) visit(target, [...trail, path])
        done.add(path)
      }
    }
    for (const { path } of sourceFiles) visit(path, [])
    expect(circles).toEqual([])
  })

  it('define no name twice, exported or not', () => {
    const declared =
      /^(?:export )?(?:declare )?(?:async )?(?:function\*?|class|abstract class|interface|type|enum) (\w+)/gm
    // a constant of a file's own may be called as one elsewhere: it is seen where it is used
    const exported = /^export (?:const|let) (\w+)/gm
    const places = new Map<string, Set<string>>()
    for (const { path, text, room } of sourceFiles) {
      for (const [, name = ''] of [...text.matchAll(declared), ...text.matchAll(exported)]) {
        // an application imports it from one of these, and each framework has what it needs under the same name
        if (room === 'http' && name === 'auditContext') continue
        places.set(name, (places.get(name) ?? new Set()).add(path))
      }
    }
    const twice = [...places].filter(([, paths]) => paths.size > 1)
    expect(twice.map(([name, paths]) => `${name}: ${[...paths].join(', ')}`)).toEqual([])
  })

  it('have no file that only passes on what others export', () => {
    const passing = sourceFiles.filter(
      ({ path, text }) =>
        path !== 'index.ts' &&
        /^export .*from/m.test(text) &&
        !/^(?:export )?(?:async )?(?:function|const|class|interface|type|let) /m.test(text),
    )
    expect(passing.map(({ path }) => relative('.', path))).toEqual([])
  })
})
