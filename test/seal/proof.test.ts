import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { checkProof } from '../../src/seal/check-proof.ts'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { newKey, origin, sealAll, signerOf } from './seals.ts'

const database = await createDatabase()
const prisma = withAudit(createClient(database.url))
const key = newKey()
const keys = [parseVerifierKey(key.publicKey)]
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
await database.sql(
  `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, details)
   SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'order.update', 'ada', 'user', 'order', jsonb_build_object('n', n)
   FROM generate_series(1, 700) AS n`,
)
await untilReadable(database)
await sealAll(logOf(database), await signerOf(key), 300)

describe('a proof', () => {
  it.each([1, 2, 255, 256, 257, 300, 301, 512, 600, 601, 699, 700])('of entry %i shows it', async (n) => {
    const proof = JSON.parse(JSON.stringify(await prisma.$audit.proof(id(n))))
    expect(checkProof(proof, keys)).toMatchObject({
      ...{ ok: true, index: n - 1, entry: { id: id(n), action: 'order.update', details: `{"n": ${n}}` } },
      checkpoint: { origin, size: Math.min(700, Math.ceil(n / 300) * 300) },
      signedBy: { id: keys[0]?.id },
    })
  })

  it('stays the same', async () => {
    const before = await prisma.$audit.proof(id(5))
    await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
      VALUES ('${id(701)}', 'x', 'ada', 'user', 'x')`)
    await untilReadable(database)
    await expect(prisma.$audit.proof(id(701))).rejects.toMatchObject({ code: 'AUDIT_NOT_SEALED' })
    await sealAll(logOf(database), await signerOf(key))
    expect(await prisma.$audit.proof(id(5))).toEqual(before)
    expect(checkProof(await prisma.$audit.proof(id(701)), keys)).toMatchObject({ ok: true, index: 700 })
  })

  it.each(['none', id(9_999), '00000000'])(
    'of %j is refused, since there is no such entry',
    async (missing) => {
      await expect(prisma.$audit.proof(missing)).rejects.toMatchObject({ code: 'AUDIT_NOT_SEALED' })
    },
  )

  it('shows nothing once any part of it was changed', async () => {
    const proof = await prisma.$audit.proof(id(300))
    const [, index, ...lines] = proof.proof.split('\n')
    const text = (from: string, to: string) => ({ ...proof, proof: proof.proof.replace(from, to) })
    const changed: [unknown, string][] = [
      [{ ...proof, entry: { ...proof.entry, actor_id: 'eve' } }, 'was changed'],
      [{ ...proof, entry: { ...proof.entry, reason: '' } }, 'was changed'],
      [{ ...proof, salt: Buffer.alloc(16).toString('base64') }, 'was changed'],
      [{ ...proof, salt: '' }, 'salt'],
      [{ ...proof, leaf: '' }, 'was changed'],
      [{ ...proof, format: 'another' }, 'form'],
      [{ ...proof, entry: { ...proof.entry, more: 'x' } }, 'form'],
      [null, 'form'],
      [text(index as string, 'index 298'), 'root'],
      [text(`${lines[0]}\n`, ''), 'root'],
      [text('\n300\n', '\n301\n'), 'root'],
      [text(origin, 'example.com/other'), 'keys'],
      [text('c2sp.org/tlog-proof@v1', 'c2sp.org/tlog-proof@v2'), 'tlog-proof'],
    ]
    for (const [given, reason] of changed) {
      expect(checkProof(given, keys)).toEqual({ ok: false, reason: expect.stringContaining(reason) })
    }
    expect(checkProof(proof, [parseVerifierKey(newKey().publicKey)])).toEqual({
      ...{ ok: false, reason: expect.stringContaining('none of the keys') },
    })
  })
})
