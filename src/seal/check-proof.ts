import { hash } from 'node:crypto'
import * as z from 'zod/mini'
import { columnNames } from '../log/columns.ts'
import type { ExactRow } from '../sink.ts'
import { canonicalForm } from './canonical-form.ts'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { isErasure, parseErased } from './erased-entry.ts'
import { isSignedBy, type VerifierKey } from './keys.ts'
import { commitmentOf, decodeLeaf, encodeLeaf, saltLength } from './leaf.ts'
import { parseNote, type SignedNote } from './note.ts'
import { proofFormat } from './proof.ts'
import { hashLength, hashOfLeaf } from './tree.ts'
import { rootOfInclusion } from './tree-proofs.ts'

/** What a proof shows. */
export type CheckedProof =
  | {
      readonly ok: true
      readonly entry: ExactRow
      readonly index: number
      /** The log, and how many entries it had. */
      readonly checkpoint: Checkpoint
      /** The key that signed it. */
      readonly signedBy: VerifierKey
      /** The entry `auditLog.erase` that says what this one is since its values were erased; undefined where none were. */
      readonly erasedBy?: ExactRow
    }
  | {
      readonly ok: false
      /** Why it shows nothing. */
      readonly reason: string
    }

const nullableText = z.nullable(z.string())

const proofSchema = z.object({
  format: z.literal(proofFormat),
  entry: z.strictObject(
    Object.fromEntries(columnNames.map((name) => [name, nullableText])) as Record<
      (typeof columnNames)[number],
      typeof nullableText
    >,
  ),
  salt: z.string(),
  leaf: z.string(),
  erasure: z.optional(z.unknown()),
  proof: z.string(),
})

/**
 * Checks a proof as {@link EntryProof} has it, without the database.
 *
 * @param given what was in the file, parsed
 */
export function checkProof(given: unknown, keys: readonly VerifierKey[]): CheckedProof {
  const parsed = proofSchema.safeParse(given)
  if (!parsed.success) return refused(`it is no proof of this form: ${z.prettifyError(parsed.error)}`)
  const entry = parsed.data.entry as unknown as ExactRow
  const salt = Buffer.from(parsed.data.salt, 'base64')
  if (salt.length !== saltLength) return refused('its salt has another length')
  if (!/^-?\d{1,19}$/.test(entry.seq ?? '') || !/^[0-9a-f-]{36}$/.test(entry.id ?? '')) {
    return refused('its entry has no id or seq')
  }
  const leaf = Buffer.from(parsed.data.leaf, 'base64')
  const whole = encodeLeaf({
    ...{ seq: BigInt(entry.seq), id: entry.id },
    commitment: commitmentOf(salt, canonicalForm(entry)),
  })
  const erasure = leaf.equals(whole) ? undefined : checkErasure(parsed.data.erasure, entry, leaf, keys)
  if (erasure?.ok === false) return erasure
  const tlogProof = parseTlogProof(parsed.data.proof)
  if (!tlogProof) return refused('its part "proof" is no C2SP tlog-proof')
  const { index, hashes, note, checkpoint } = tlogProof
  const root = rootOfInclusion(index, checkpoint.size, hashOfLeaf(leaf), hashes)
  if (!root?.equals(checkpoint.root)) return refused('its hashes do not lead to the root of the checkpoint')
  const signedBy = keys.findLast((key) => isSignedBy(note, key))
  if (!signedBy) return refused('its checkpoint is signed by none of the keys that were given')
  if (!erasure) return { ok: true, entry, index, checkpoint, signedBy }
  if (erasure.checkpoint.origin !== checkpoint.origin) return refused('its erasure is of another log')
  return { ok: true, entry, index, checkpoint, signedBy, erasedBy: erasure.entry }
}

/** An entry that is not what its leaf was made of was erased, or changed. */
function checkErasure(
  given: unknown,
  entry: ExactRow,
  leaf: Buffer,
  keys: readonly VerifierKey[],
): CheckedProof {
  const sealed = decodeLeaf(leaf)
  if (!sealed || sealed.id !== entry.id || String(sealed.seq) !== entry.seq || given === undefined) {
    return refused('the entry, or its salt, is not what the leaf is of: it was changed')
  }
  const checked = checkProof(given, keys)
  if (!checked.ok)
    return refused(`the entry was erased, and what is to prove that does not: ${checked.reason}`)
  const hashOfForm = hash('sha256', canonicalForm(entry), 'hex')
  if (!isErasure(checked.entry) || parseErased(checked.entry.details).get(entry.id) !== hashOfForm) {
    return refused('the entry is not what its erasure has left of it: it was changed')
  }
  return checked
}

interface TlogProof {
  readonly index: number
  readonly hashes: readonly Buffer[]
  readonly note: SignedNote
  readonly checkpoint: Checkpoint
}

/** C2SP tlog-proof. */
export function parseTlogProof(text: string): TlogProof | undefined {
  const [, digits, lines = '', signed = ''] =
    /^c2sp\.org\/tlog-proof@v1\n(?:extra [^\n]*\n)?index (0|[1-9]\d{0,15})\n((?:[^\n]+\n)*)\n([\s\S]*)$/.exec(
      text,
    ) ?? []
  const note = parseNote(signed)
  const checkpoint = note && parseCheckpoint(note.text)
  if (digits === undefined || !note || !checkpoint) return undefined
  const hashes = lines
    .split('\n')
    .slice(0, -1)
    .map((line) => Buffer.from(line, 'base64'))
  if (hashes.some(({ length }) => length !== hashLength)) return undefined
  return { index: Number(digits), hashes, note, checkpoint }
}

function refused(reason: string): CheckedProof {
  return { ok: false, reason }
}
