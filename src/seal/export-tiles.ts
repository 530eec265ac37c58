import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readKnownPosition } from '../reader/eras.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { leafLength } from './leaf.ts'
import { parseNote } from './note.ts'
import { readHead } from './stored-checkpoint.ts'
import { cut, readTiles } from './stored-tiles.ts'
import type { Tile } from './subtrees.ts'
import { hashLength, hashOfLeaf, tileWidth } from './tree.ts'

/** A file of C2SP tlog-tiles, with its path below the prefix of the log. */
export interface TileFile {
  readonly path: string
  readonly bytes: Buffer
}

/** The path of a tile: full, or as many hashes wide as `width` says. */
export function tilePath(level: number | 'entries', index: number, width: number = tileWidth): string {
  const groups = [String(index % 1000).padStart(3, '0')]
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`)
  }
  return `tile/${level}/${groups.join('/')}${width === tileWidth ? '' : `.p/${width}`}`
}

/** The tiles that a tree of one size has, and one of a smaller size had not, with how many hashes each has. */
export function newTiles(from: number, size: number): (Tile & { readonly width: number })[] {
  const found: (Tile & { width: number })[] = []
  for (let level = 0; Math.floor(size / tileWidth ** level) > 0; level++) {
    const [before, now] = [from, size].map((one) => Math.floor(one / tileWidth ** level)) as [number, number]
    for (let index = Math.floor(before / tileWidth); index * tileWidth < now; index++) {
      const width = Math.min(tileWidth, now - index * tileWidth)
      if (index * tileWidth + width > before) found.push({ level, index, width })
    }
  }
  return found
}

/**
 * The files of a tree, a few at a time: tiles, and bundles of entries, which are the leaves.
 *
 * @param from the size up to which they are there already
 */
export async function* tileFiles(
  log: ReaderLog,
  name: string,
  from: number,
  size: number,
): AsyncGenerator<TileFile, void, void> {
  const tiles = newTiles(from, size)
  for (let at = 0; at < tiles.length; at += 16) {
    const part = tiles.slice(at, at + 16)
    const read = await readTiles(log, name, part)
    for (const [index, { bytes }] of read.entries()) {
      const { width, ...tile } = part[index] as (typeof part)[number]
      if (tile.level > 0) {
        yield { path: tilePath(tile.level, tile.index, width), bytes: bytes.subarray(0, width * hashLength) }
        continue
      }
      const leaves = cut(bytes.subarray(0, width * leafLength), leafLength)
      yield { path: tilePath(0, tile.index, width), bytes: Buffer.concat(leaves.map(hashOfLeaf)) }
      yield { path: tilePath('entries', tile.index, width), bytes: Buffer.concat(leaves.map(withLength)) }
    }
  }
}

/**
 * Writes what is new of the tree into a directory, as C2SP tlog-tiles has it, and at last the newest checkpoint. What is there
 * already is left alone.
 *
 * @returns the size of the tree that the directory has now
 */
export async function writeTiles(log: ReaderLog, directory: string): Promise<number> {
  const { log: name } = await readKnownPosition(log)
  const head = await readHead(log, name)
  if (!head) return 0
  const path = join(directory, 'checkpoint')
  const written = await readFile(path, 'utf8').catch(() => undefined)
  const note = written === undefined ? undefined : parseNote(written)
  const from = (note && parseCheckpoint(note.text)?.size) ?? 0
  for await (const file of tileFiles(log, name, Math.min(from, head.size), head.size)) {
    await replaceFile(join(directory, file.path), file.bytes)
  }
  await replaceFile(path, Buffer.from(head.note))
  return head.size
}

function withLength(leaf: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(leaf.length)
  return Buffer.concat([length, leaf])
}

/** Readers see the file as it was, or as it is now. */
async function replaceFile(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}.draft`
  await writeFile(draft, bytes)
  await rename(draft, path)
}
