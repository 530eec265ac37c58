import { sha256Of } from './sha256.ts'

/** A leaf of the tree: it names an entry, and commits to it without saying what is in it. */
export interface Leaf {
  readonly seq: bigint
  /** The UUID of the entry, in lower case with hyphens. */
  readonly id: string
  /** SHA-256(salt ‖ canonical form). */
  readonly commitment: Buffer
}

/** Of each leaf, in bytes: version, `seq`, `id`, commitment. */
export const leafLength = 1 + 8 + 16 + 32

/** Of each salt, in bytes. */
export const saltLength = 16

/** Whether a salt has no byte but zeros, as an erasure leaves it; also true of one that is gone. */
export function isErasedSalt(salt: Buffer): boolean {
  return salt.every((byte) => byte === 0)
}

/** How a leaf begins. Another canonical form would have another version. */
export const leafVersion = 1

export function encodeLeaf({ seq, id, commitment }: Leaf): Buffer {
  const bytes = Buffer.alloc(leafLength)
  bytes[0] = leafVersion
  bytes.writeBigInt64BE(seq, 1)
  bytes.set(Buffer.from(id.replaceAll('-', ''), 'hex'), 9)
  bytes.set(commitment, 25)
  return bytes
}

/** @returns undefined for what is no leaf, or one of a later version */
export function decodeLeaf(bytes: Buffer): Leaf | undefined {
  if (bytes.length !== leafLength || bytes[0] !== leafVersion) return undefined
  return {
    seq: seqInLeaf(bytes),
    id: idInLeaf(bytes),
    commitment: bytes.subarray(25),
  }
}

/** The `seq` that the bytes of a leaf have. */
export function seqInLeaf(bytes: Buffer, start = 0): bigint {
  return bytes.readBigInt64BE(start + 1)
}

/** The id that they have. */
export function idInLeaf(bytes: Buffer): string {
  return bytes.toString('hex', 9, 25).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

let room = Buffer.alloc(65_536)

/** @param canonicalForm as {@link canonicalForm} makes it, or in UTF-8 */
export function commitmentOf(salt: Uint8Array, canonicalForm: string | Uint8Array): Buffer {
  const most = saltLength + canonicalForm.length * 3 // UTF-8 has three bytes at most for each unit of UTF-16
  if (room.length < most) room = Buffer.alloc(most * 2)
  room.set(salt, 0)
  if (typeof canonicalForm !== 'string') {
    room.set(canonicalForm, saltLength)
    return sha256Of(room.subarray(0, saltLength + canonicalForm.length))
  }
  return sha256Of(room.subarray(0, saltLength + room.write(canonicalForm, saltLength)))
}
