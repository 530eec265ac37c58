import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { AuditError } from '../errors.ts'
import type { NoteSignature, SignedNote } from './note.ts'

/** Who may have signed: a public key with its name. */
export interface VerifierKey {
  readonly name: string
  /** 4 bytes as hexadecimal: what a signature is known by, with the name. */
  readonly id: string
  readonly publicKey: KeyObject
}

/** A key that signs here. */
export interface SigningKey {
  readonly verifier: VerifierKey
  readonly privateKey: KeyObject
}

/** Ed25519 as a witness cosigns, with a time: C2SP tlog-cosignature. */
export const cosigningAlgorithm = 4

/** Ed25519 in signed notes, and how its keys begin in DER. */
const noteAlgorithm = 1
const derOf = {
  private: Buffer.from('302e020100300506032b657004220420', 'hex'),
  public: Buffer.from('302a300506032b6570032100', 'hex'),
}

/**
 * Makes a key pair, each half as the text that {@link parseSigningKey} and {@link parseVerifierKey} read.
 *
 * @param name by which signatures are known: like an address without its scheme, `example.com/audit`. No spaces and no plus
 * @throws AuditError `AUDIT_INVALID_KEY`
 */
export function generateKeys(name: string): { privateKey: string; publicKey: string } {
  checkName(name)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  const id = keyIdOf(name, rawOf(publicKey))
  return {
    privateKey: `PRIVATE+KEY+${name}+${id}+${withAlgorithm(seed)}`,
    publicKey: formatVerifierKey({ name, id, publicKey }),
  }
}

/** @throws AuditError `AUDIT_INVALID_KEY`, which does not repeat the key */
export function parseSigningKey(text: string): SigningKey {
  const [, name = '', id, base64 = ''] =
    /^PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? []
  const seed = keyBytes(base64)
  if (!seed)
    throw invalidKey('It is no private key. It has the form PRIVATE+KEY+name+id+base64, as keygen makes it')
  const privateKey = createPrivateKey({
    key: Buffer.concat([derOf.private, seed]),
    ...{ format: 'der', type: 'pkcs8' },
  })
  const publicKey = createPublicKey(privateKey)
  if (keyIdOf(name, rawOf(publicKey)) !== id)
    throw invalidKey('Its name and its id do not belong to each other')
  return { verifier: { name, id, publicKey }, privateKey }
}

/** @throws AuditError `AUDIT_INVALID_KEY` */
export function parseVerifierKey(text: string, algorithm = noteAlgorithm): VerifierKey {
  const [, name = '', id, base64 = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? []
  const raw = keyBytes(base64, algorithm)
  if (!raw || id === undefined) {
    // it may be a private one
    throw invalidKey('What was given is no public key. It has the form name+id+base64, as keygen makes it')
  }
  if (keyIdOf(name, raw, algorithm) !== id)
    throw invalidKey(`The name and the id of ${text.trim()} do not belong to each other`)
  const publicKey = createPublicKey({ key: Buffer.concat([derOf.public, raw]), format: 'der', type: 'spki' })
  return { name, id, publicKey }
}

/** Keys from the oldest to the newest, one a line. Empty lines and those that begin with # are left out. */
export function parseVerifierKeys(text: string): VerifierKey[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('#'))
    .map((line) => parseVerifierKey(line))
}

export function formatVerifierKey({ name, id, publicKey }: VerifierKey): string {
  return `${name}+${id}+${withAlgorithm(rawOf(publicKey))}`
}

/** The signature of a text, with what it is known by. */
export function signatureBy({ verifier: { name, id }, privateKey }: SigningKey, text: string): NoteSignature {
  return { name, id, signature: sign(null, Buffer.from(text), privateKey) }
}

/** Whether a key signed a note. Signatures of others don't matter; one in the key's name that is wrong does. */
export function isSignedBy({ text, signatures }: SignedNote, key: VerifierKey): boolean {
  const own = signatures.filter(({ name, id }) => name === key.name && id === key.id)
  return (
    own.length > 0 && own.every(({ signature }) => verify(null, Buffer.from(text), key.publicKey, signature))
  )
}

function checkName(name: string): void {
  if (/^[^\s+]+$/u.test(name) && !hasControl(name)) return
  throw invalidKey(
    `${JSON.stringify(name)} can't be the name of a key: it is empty, or has a space or a plus`,
  )
}

function hasControl(name: string): boolean {
  return [...name].some((character) => character < ' ')
}

/** The 32 bytes behind the byte for the algorithm. */
function keyBytes(base64: string, algorithm = noteAlgorithm): Buffer | undefined {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length !== 33 || bytes[0] !== algorithm || bytes.toString('base64') !== base64) return undefined
  return bytes.subarray(1)
}

function withAlgorithm(bytes: Buffer): string {
  return Buffer.concat([Buffer.from([noteAlgorithm]), bytes]).toString('base64')
}

function rawOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
}

function keyIdOf(name: string, raw: Buffer, algorithm = noteAlgorithm): string {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([algorithm]), raw])
  return hash('sha256', bytes).slice(0, 8)
}

function invalidKey(reason: string): AuditError {
  return new AuditError(
    'AUDIT_INVALID_KEY',
    `A key of the seals can't be used. ${reason}. See docs/seals.md, "Keys".`,
  )
}
