import { commitmentOf } from '../../../src/seal/leaf.ts'
import { hashOfLeaf, hashOfNode } from '../../../src/seal/tree.ts'
import { newKey, sealAll, signerOf } from '../seals.ts'
import { checkpoint, leaves } from './on-leaves.ts'
import { type Attack, type Attacker, each, id, internal } from './victim.ts'

/** Rows, and what was sealed of them, altered together. */
export const attacksOnEverything: readonly Attack[] = [
  {
    name: 'a row changed with its leaf',
    attack: (attacker) => forgeLeaf(attacker, 350),
    finds: [checkpoint(4), checkpoint(5), leaves(256, 511)],
  },
  {
    name: 'a row changed with its leaf and every node above it',
    attack: async (attacker) => {
      await forgeLeaf(attacker, 350)
      await forgeNodes(attacker)
    },
    finds: [4, 5, 6, 7].map(checkpoint),
  },
  {
    name: 'a row changed, and all sealed anew with another key',
    attack: async (attacker) => {
      await attacker.sql(`UPDATE audit_logs SET actor_id = 'eve' WHERE seq = 350`)
      await unseal(attacker)
      await sealAll(attacker.log, await signerOf(newKey()), 100)
    },
    finds: [1, 2, 3, 4, 5, 6, 7].map(checkpoint),
  },
  {
    name: 'another era, from the middle of the log on',
    attack: `INSERT INTO ${internal}.eras (log, number, after_seq, transaction_id) VALUES ('public.audit_logs', 2, 650, 1)`,
    finds: each(651, 700, (n) => ({ kind: 'reordered', entry: { id: id(n) } })),
  },
]

/** Takes every seal away. */
export async function unseal({ sql }: Attacker): Promise<void> {
  for (const table of ['sealed_leaves', 'seal_salts', 'seal_nodes', 'checkpoints'])
    await sql(`DELETE FROM ${internal}.${table}`)
}

/** Changes a row, and its leaf with it; the salt is there for everybody who may read. */
export async function forgeLeaf({ sql }: Attacker, n: number): Promise<void> {
  await sql(`UPDATE audit_logs SET actor_id = 'eve' WHERE seq = ${n}`)
  const [row] = await sql<{ form: string; salt: Buffer; first_leaf: string }>(
    `SELECT array_to_json(ARRAY[id::text, to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), action, actor_id, actor_type,
       actor_email, resource_type, resource_id, outcome, reason, details::text, request_id, abbrev(ip), user_agent, organization_id,
       seq::text, transaction_id::text])::text AS form, substring(s.salts, (${n} - 1 - s.first_leaf::int) * 16 + 1, 16) AS salt, s.first_leaf
     FROM audit_logs, ${internal}.seal_salts AS s WHERE seq = ${n} AND s.first_leaf < ${n} ORDER BY s.first_leaf DESC LIMIT 1`,
  )
  if (!row) throw new Error('the row is sealed')
  await sql(
    `UPDATE ${internal}.sealed_leaves SET leaves = overlay(leaves PLACING $1 FROM (${n} - 1 - first_leaf::int) * 57 + 26) WHERE first_leaf = $2`,
    [commitmentOf(row.salt, row.form), row.first_leaf],
  )
}

/** Computes the roots of full tiles anew from the leaves that are there. */
export async function forgeNodes({ sql }: Attacker): Promise<void> {
  const rows = await sql<{ leaves: Buffer }>(
    `SELECT leaves FROM ${internal}.sealed_leaves ORDER BY first_leaf`,
  )
  const bytes = Buffer.concat(rows.map(({ leaves: part }) => part))
  for (const index of [0, 1]) {
    let level = Array.from({ length: 256 }, (_, at) =>
      hashOfLeaf(bytes.subarray((index * 256 + at) * 57, (index * 256 + at + 1) * 57)),
    )
    while (level.length > 1) {
      level = Array.from({ length: level.length / 2 }, (_, at) =>
        hashOfNode(level[at * 2] as Buffer, level[at * 2 + 1] as Buffer),
      )
    }
    await sql(`UPDATE ${internal}.seal_nodes SET hash = $1 WHERE index = $2`, [level[0], index])
  }
}
