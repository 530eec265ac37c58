import { createHash } from 'node:crypto'
import { readPosition } from '../../src/reader/eras.ts'
import type { ReaderLog } from '../../src/reader/reader-log.ts'
import { generateKeys, parseSigningKey } from '../../src/seal/keys.ts'
import { Sealer } from '../../src/seal/sealer.ts'
import { openSigner, type Signer } from '../../src/seal/signer.ts'
import { sealSchema } from '../../src/seal-schema.ts'
import type { Database } from '../support/database.ts'

export const origin = 'example.com/audit'

/** A key pair, and the environment variable that has its private half. */
export function newKey(name = origin) {
  const keys = generateKeys(name)
  const { id } = parseSigningKey(keys.privateKey).verifier
  const environment = `AUDIT_SEAL_KEY_${id}`
  process.env[environment] = keys.privateKey
  return { ...keys, environment }
}

export function signerOf(
  { environment }: Pick<ReturnType<typeof newKey>, 'environment'>,
  formerKeys: string[] = [],
): Promise<Signer> {
  return openSigner(sealSchema.parse({ key: { environment }, origin, formerKeys }))
}

/** Seals all that can be read. */
export async function sealAll(log: ReaderLog, signer: Signer, limit?: number): Promise<void> {
  const sealer = new Sealer(log, signer)
  while ((await sealer.step(limit)).isMore);
}

export function sha256(...parts: (Buffer | string)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The leaves of a log, in order, with their salts: read as somebody does who has only the document of the formats. */
export async function leavesOf({ sql }: Database, log: ReaderLog) {
  const { log: name } = await readPosition(log)
  const rows = await sql<{ first_leaf: string; entries: number; leaves: Buffer; salts: Buffer }>(
    `SELECT s.first_leaf, s.entries, s.leaves, t.salts FROM audit_logs_internal.sealed_leaves AS s
     JOIN audit_logs_internal.seal_salts AS t USING (log, first_leaf) WHERE s.log = $1 ORDER BY s.first_leaf`,
    [name],
  )
  return rows.flatMap(({ first_leaf, entries, leaves, salts }) =>
    Array.from({ length: entries }, (_, index) => {
      const leaf = leaves.subarray(index * 57, (index + 1) * 57)
      return {
        index: Number(first_leaf) + index,
        ...{ leaf, salt: salts.subarray(index * 16, (index + 1) * 16) },
        seq: leaf.readBigInt64BE(1),
        id: leaf.toString('hex', 9, 25),
      }
    }),
  )
}

/** The newest checkpoint. */
export async function headOf({ sql }: Database) {
  const [head] = await sql<{ number: string; size: string; root: Buffer; note: string }>(
    'SELECT number, size, root, note FROM audit_logs_internal.checkpoints ORDER BY number DESC LIMIT 1',
  )
  if (!head) throw new Error('there is no checkpoint')
  return { ...head, number: Number(head.number), size: Number(head.size) }
}
