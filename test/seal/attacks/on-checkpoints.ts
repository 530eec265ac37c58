import { expect } from 'vitest'
import type { Signer } from '../../../src/seal/signer.ts'
import { newKey, signerOf } from '../seals.ts'
import { checkpoint, flip, unsigned } from './on-leaves.ts'
import { type Attack, type Attacker, type ExpectedFinding, internal } from './victim.ts'

const onCheckpoints = (name: string, sql: string, finds: readonly ExpectedFinding[]): Attack => ({
  ...{ name, finds },
  attack: sql.replaceAll('CHECKPOINTS', `${internal}.checkpoints`),
})

const withRoot = `root = sha256('x'), note = replace(note, encode(root, 'base64'), encode(sha256('x'), 'base64'))`

export const attacksOnCheckpoints: readonly Attack[] = [
  onCheckpoints('the size of a checkpoint altered', `UPDATE CHECKPOINTS SET size = 301 WHERE number = 3`, [
    checkpoint(3),
  ]),
  onCheckpoints(
    'the size of a checkpoint and its note altered',
    `UPDATE CHECKPOINTS SET size = 299, note = replace(note, '300', '299') WHERE number = 3`,
    [checkpoint(3)],
  ),
  onCheckpoints(
    'the root of a checkpoint altered',
    `UPDATE CHECKPOINTS SET root = ${flip('root', 0)} WHERE number = 3`,
    [checkpoint(3)],
  ),
  onCheckpoints(
    'the root of a checkpoint and its note altered',
    `UPDATE CHECKPOINTS SET ${withRoot} WHERE number = 3`,
    [checkpoint(3)],
  ),
  onCheckpoints(
    'the signature of a checkpoint altered',
    // a signature differs with each key, and may have an A there
    `UPDATE CHECKPOINTS SET note = regexp_replace(note, '.(...\\n)$', CASE WHEN note ~ 'A...\\n$' THEN 'B\\1' ELSE 'A\\1' END) WHERE number = 3`,
    [checkpoint(3)],
  ),
  onCheckpoints(
    'the signature of a checkpoint gone',
    `UPDATE CHECKPOINTS SET note = split_part(note, E'\\n\\n', 1) || E'\\n\\n' WHERE number = 3`,
    [checkpoint(3)],
  ),
  onCheckpoints(
    'the origin of a checkpoint altered',
    `UPDATE CHECKPOINTS SET note = replace(note, 'example.com/audit', 'example.com/other') WHERE number = 3`,
    [checkpoint(3)],
  ),
  onCheckpoints(
    'the note of another checkpoint',
    `UPDATE CHECKPOINTS SET note = (SELECT note FROM CHECKPOINTS WHERE number = 2) WHERE number = 3`,
    [checkpoint(3)],
  ),
  onCheckpoints(
    'a line added to a checkpoint',
    `UPDATE CHECKPOINTS SET note = replace(note, E'\\n\\n', E'\\nmore\\n\\n') WHERE number = 3`,
    [checkpoint(3)],
  ),
  onCheckpoints('the first checkpoint gone', `DELETE FROM CHECKPOINTS WHERE number = 1`, [checkpoint(2)]),
  onCheckpoints('a checkpoint in the middle gone', `DELETE FROM CHECKPOINTS WHERE number = 3`, [
    checkpoint(4),
  ]),
  onCheckpoints('the last checkpoint gone', `DELETE FROM CHECKPOINTS WHERE number = 7`, [unsigned(600, 699)]),
  onCheckpoints('every checkpoint gone', `DELETE FROM CHECKPOINTS`, [unsigned(0, 699)]),
  onCheckpoints(
    'two checkpoints exchanged',
    `UPDATE CHECKPOINTS AS c SET size = o.size, root = o.root, note = o.note FROM CHECKPOINTS AS o WHERE c.number + o.number = 7 AND c.number IN (3, 4)`,
    [checkpoint(4), checkpoint(3)],
  ),
  onCheckpoints(
    'a checkpoint in another place than its last entry',
    `UPDATE CHECKPOINTS SET seq = seq - 1 WHERE number = 7`,
    [checkpoint(7)],
  ),
  onCheckpoints(
    'a checkpoint in a later place than its last entry',
    `UPDATE CHECKPOINTS SET transaction_id = transaction_id + 1000 WHERE number = 7`,
    [checkpoint(7)],
  ),
  onCheckpoints(
    'an earlier checkpoint in another place',
    `UPDATE CHECKPOINTS SET seq = seq - 1 WHERE number = 3`,
    [checkpoint(3)],
  ),
  onCheckpoints(
    'a checkpoint once more under the next number',
    `INSERT INTO CHECKPOINTS SELECT log, 8, created_at, size, root, note, era, transaction_id, seq FROM CHECKPOINTS WHERE number = 7`,
    [checkpoint(8)],
  ),
  onCheckpoints(
    'a checkpoint before the first one',
    `INSERT INTO CHECKPOINTS SELECT log, 0, created_at, size, root, note, era, transaction_id, seq FROM CHECKPOINTS WHERE number = 7`,
    [checkpoint(0)],
  ),
  onCheckpoints(
    'a checkpoint stored twice',
    `ALTER TABLE CHECKPOINTS DROP CONSTRAINT checkpoints_pkey; INSERT INTO CHECKPOINTS SELECT * FROM CHECKPOINTS WHERE number = 3`,
    [{ ...checkpoint(3), message: expect.stringContaining('there are two of this number') }],
  ),
  {
    name: 'a checkpoint signed by another key of the same name',
    attack: async ({ sql }) => putNote(sql, await signerOf(newKey())),
    finds: [checkpoint(7)],
  },
  {
    name: 'a checkpoint of another log with the same key',
    attack: async ({ sql, stolenKey }) => putNote(sql, await stolenKey('example.com/other')),
    finds: [checkpoint(7)],
  },
]

/** Has another sign the newest checkpoint. */
async function putNote(sql: Attacker['sql'], signer: Signer): Promise<void> {
  const [head] = await sql<{ size: string; root: Buffer }>(
    `SELECT size, root FROM ${internal}.checkpoints WHERE number = 7`,
  )
  if (!head) throw new Error('there is a checkpoint 7')
  const note = await signer.sign({ size: Number(head.size), root: head.root })
  await sql(`UPDATE ${internal}.checkpoints SET note = $1 WHERE number = 7`, [note])
}
