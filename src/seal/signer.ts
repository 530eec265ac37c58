import { readFile } from 'node:fs/promises'
import { AuditError } from '../errors.ts'
import type { ResolvedSeal } from '../seal-options.ts'
import { type Checkpoint, formatCheckpoint } from './checkpoint.ts'
import {
  isSignedBy,
  parseSigningKey,
  parseVerifierKey,
  parseVerifierKeys,
  signatureBy,
  type VerifierKey,
} from './keys.ts'
import { formatNote, type NoteSignature } from './note.ts'

/** Signs checkpoints of one log. */
export interface Signer {
  readonly origin: string
  /** Whoever may have signed the checkpoints so far, the oldest first; the last one signs now. */
  readonly keys: readonly [...VerifierKey[], VerifierKey]
  /** The signed note. */
  sign(checkpoint: Omit<Checkpoint, 'origin'>): Promise<string>
}

/** @throws AuditError `AUDIT_INVALID_KEY` */
export async function openSigner({ key, origin, formerKeys }: ResolvedSeal): Promise<Signer> {
  const { verifier, sign } = await openKey(key)
  const named = origin ?? verifier.name
  return {
    origin: named,
    keys: [...parseVerifierKeys(formerKeys.join('\n')), verifier],
    sign: async ({ size, root }) => {
      const text = formatCheckpoint({ origin: named, size, root })
      const note = { text, signatures: [await sign(text)] }
      if (isSignedBy(note, verifier)) return formatNote(note)
      throw new AuditError(
        'AUDIT_INVALID_KEY',
        `What signs for the key ${verifier.name}+${verifier.id} gave a signature that is not this key's, so the checkpoint was not stored. sign gets the bytes themselves, not a hash of them, and returns the 64 bytes of an Ed25519 signature.`,
      )
    },
  }
}

async function openKey(
  key: ResolvedSeal['key'],
): Promise<{ verifier: VerifierKey; sign: (text: string) => Promise<NoteSignature> }> {
  if ('sign' in key) {
    const verifier = parseVerifierKey(key.publicKey)
    const { name, id } = verifier
    const sign = async (text: string) => ({
      ...{ name, id },
      signature: Buffer.from(await key.sign(Buffer.from(text))),
    })
    return { verifier, sign }
  }
  const own = parseSigningKey(await readKey(key))
  return { verifier: own.verifier, sign: async (text) => signatureBy(own, text) }
}

async function readKey(key: { file: string } | { environment: string }): Promise<string> {
  if ('environment' in key) {
    const value = process.env[key.environment]
    if (value) return value
    throw new AuditError(
      'AUDIT_INVALID_KEY',
      `The log can't be sealed: the environment variable ${key.environment}, which is to hold the key, is not set. Make a key with "npx prisma-extension-audit keygen".`,
    )
  }
  try {
    return await readFile(key.file, 'utf8')
  } catch (cause) {
    throw new AuditError(
      'AUDIT_INVALID_KEY',
      `The log can't be sealed: the file of its key, ${key.file}, can't be read (${(cause as NodeJS.ErrnoException).code}). Make a key with "npx prisma-extension-audit keygen".`,
      { cause },
    )
  }
}
