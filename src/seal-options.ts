import type { Anchor } from './anchor.ts'

/** How the log is sealed. */
export interface SealOptions {
  /** What signs checkpoints. It is read when sealing begins, not before: a process that does not seal needs no key. */
  key: SealKey
  /** Which log a checkpoint is of, its first line. Default: the name of the key. */
  origin?: string
  /** Milliseconds between two looks for entries to seal. Default 5,000. */
  every?: number
  /** Public keys that signed before this one, `name+id+base64` each, the oldest first. */
  formerKeys?: readonly string[]
  /** Where checkpoints are kept outside of the database, each with a name of its own. */
  anchors?: readonly Anchor[]
}

/** A private key in a file or in an environment variable, or a public one and what signs for it: a KMS, say. */
export type SealKey =
  | { file: string }
  | { environment: string }
  | {
      /** `name+id+base64`. */
      publicKey: string
      /** The Ed25519 signature of these bytes, 64 bytes. */
      sign: (message: Uint8Array) => Uint8Array | PromiseLike<Uint8Array>
    }

/** With every default. */
export type ResolvedSeal = Omit<SealOptions, 'origin'> &
  Required<Pick<SealOptions, 'every' | 'formerKeys' | 'anchors'>> & { origin?: string | undefined }
