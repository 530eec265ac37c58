// Checks what src/seal makes by an independent implementation, Go's golang.org/x/mod/sumdb: node --import tsx scripts/seals.ts
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { formatCheckpoint } from '../src/seal/checkpoint.ts'
import { newTiles } from '../src/seal/export-tiles.ts'
import { generateKeys, parseSigningKey, signatureBy } from '../src/seal/keys.ts'
import { encodeLeaf } from '../src/seal/leaf.ts'
import { formatNote } from '../src/seal/note.ts'
import { TileHashes } from '../src/seal/subtrees.ts'
import { hashOfLeaf, RightEdge, type TileRoot, tileWidth } from '../src/seal/tree.ts'
import { consistencyRanges, inclusionRanges } from '../src/seal/tree-proofs.ts'

const goPath = process.env.GOPATH ?? '/usr/share/gocode'
const size = 1_000

const leaves = Array.from({ length: size }, (_, index) => {
  const commitment = hashOfLeaf(Buffer.from(String(index)))
  return encodeLeaf({ seq: BigInt(index), id: '01890000-0000-7000-8000-000000000001', commitment })
})
const roots: TileRoot[] = []
const edge = new RightEdge()
const treeRoots = [edge.root()]
for (const leaf of leaves) {
  edge.append(hashOfLeaf(leaf), 0, (tile) => roots.push(tile))
  treeRoots.push(edge.root())
}

const tiles = newTiles(0, size).map(({ level, index, width }) => {
  const hashes = level === 0 ? leaves.map(hashOfLeaf) : roots.map(({ hash }) => hash)
  const bytes = Buffer.concat(hashes.slice(index * tileWidth, index * tileWidth + width))
  return { level, index, width, bytes }
})
const hashes = new TileHashes()
for (const { bytes, ...tile } of tiles) hashes.add(tile, bytes)

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 511, 512, 513, 700, 768, 769, 999, 1_000]
const inclusion = sizes.flatMap((of) =>
  Array.from({ length: of }, (_, index) => index)
    .filter((index) => index < 10 || index % 37 === 0 || index === of - 1)
    .map((index) => ({
      ...{ index, size: of },
      hashes: inclusionRanges(index, of).map((range) => base64(hashes.hashOf(range))),
    })),
)
const consistency = sizes.flatMap((second) =>
  sizes
    .filter((first) => first <= second)
    .map((first) => ({
      ...{ first, second },
      hashes: consistencyRanges(first, second).map((range) => base64(hashes.hashOf(range))),
    })),
)
const notes = sizes.map((of) => {
  const keys = generateKeys(`example.com/log-${of}`)
  const text = formatCheckpoint({ origin: 'example.com/audit', size: of, root: treeRoots[of] as Buffer })
  const signatures = [signatureBy(parseSigningKey(keys.privateKey), text)]
  return { ...keys, note: formatNote({ text, signatures }) }
})

function base64(bytes: Buffer): string {
  return bytes.toString('base64')
}

const isThere =
  spawnSync('go', ['version']).status === 0 && existsSync(`${goPath}/src/golang.org/x/mod/sumdb/tlog`)
if (!isThere) {
  console.log(
    `Skipped: Go, or golang.org/x/mod in ${goPath}, is not there. Debian has both: apt-get install golang-go golang-golang-x-mod-dev`,
  )
} else {
  const { status } = spawnSync('go', ['run', 'test/seal/go/main.go'], {
    env: { ...process.env, GOPATH: goPath, GO111MODULE: 'off' },
    input: JSON.stringify({
      ...{ leaves: leaves.map(base64), roots: treeRoots.map(base64), inclusion, consistency, notes },
      tiles: tiles.map(({ bytes, ...tile }) => ({ ...tile, bytes: base64(bytes) })),
    }),
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  process.exitCode = status ?? 1
}
