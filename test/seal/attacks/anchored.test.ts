import { beforeAll, describe, expect, it } from 'vitest'
import { sealAll } from '../seals.ts'
import { unseal } from './on-everything.ts'
import { type Attack, type Attacker, id, internal, sealedLog, type Victim } from './victim.ts'

/** The log and its seals as a backup has them that was made when it had so many checkpoints. */
async function putBack({ sql }: Attacker, checkpoints: number): Promise<void> {
  await sql(`DELETE FROM audit_logs WHERE seq > ${checkpoints * 100}`)
  for (const table of ['sealed_leaves', 'seal_salts']) {
    await sql(`DELETE FROM ${internal}.${table} WHERE first_leaf >= ${checkpoints * 100}`)
  }
  await sql(`DELETE FROM ${internal}.seal_nodes WHERE (index + 1) * 256 > ${checkpoints * 100}`)
  await sql(`DELETE FROM ${internal}.checkpoints WHERE number > ${checkpoints}`)
  await sql(`DELETE FROM ${internal}.consumers`)
}

/** New entries, as the application writes them, and their seals. */
async function goOn({ sql, log, stolenKey }: Attacker, count: number): Promise<void> {
  await sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, seq, transaction_id)
    SELECT gen_random_uuid(), 'order.update', 'eve', 'user', 'order', 1000 + n, (SELECT max(transaction_id) + 1 FROM audit_logs)
    FROM generate_series(1, ${count}) AS n`)
  await sealAll(log, await stolenKey(), 100)
}

const anchor = (first: number, last: number) => ({ kind: 'anchor' as const, leaves: { first, last } })

/** Whoever has only the database, even with the key, finds nothing. */
const attacks: readonly (Attack & { readonly anchored: number })[] = [
  {
    name: 'the log cut off behind its last checkpoint but one',
    attack: (attacker) => putBack(attacker, 6),
    finds: [anchor(600, 699)],
    anchored: 600,
  },
  {
    name: 'the log put back to an earlier backup',
    attack: (attacker) => putBack(attacker, 3),
    finds: [anchor(300, 699)],
    anchored: 300,
  },
  {
    name: 'the log put back, and gone on with',
    attack: async (attacker) => {
      await putBack(attacker, 3)
      await goOn(attacker, 500)
    },
    finds: [anchor(300, 399)],
    anchored: 300,
  },
  {
    name: 'the log put back, and gone on with, but not as far',
    attack: async (attacker) => {
      await putBack(attacker, 3)
      await goOn(attacker, 50)
    },
    finds: [anchor(350, 699)],
    anchored: 300,
  },
  {
    name: 'a log that was forked: a row changed, and all sealed anew with the same key',
    attack: async (attacker) => {
      await attacker.sql(`UPDATE audit_logs SET actor_id = 'eve' WHERE seq = 350`)
      await unseal(attacker)
      await sealAll(attacker.log, await attacker.stolenKey(), 100)
    },
    finds: [anchor(0, 99)],
    anchored: 0,
  },
  {
    name: 'a log that was forked at its last checkpoint',
    attack: async (attacker) => {
      const { sql, log, stolenKey } = attacker
      const rows = await sql('SELECT * FROM audit_logs WHERE seq > 600')
      await putBack(attacker, 6)
      await sql('INSERT INTO audit_logs SELECT * FROM jsonb_populate_recordset(null::audit_logs, $1)', [
        JSON.stringify(rows.map((row) => (row.id === id(650) ? { ...row, actor_id: 'eve' } : row))),
      ])
      await sealAll(log, await stolenKey(), 100)
    },
    finds: [anchor(600, 699)],
    anchored: 600,
  },
  {
    name: 'a row removed, and all sealed anew with the same key',
    attack: async (attacker) => {
      await putBack(attacker, 6)
      await attacker.sql('DELETE FROM audit_logs WHERE seq = 1')
      await unseal(attacker)
      await sealAll(attacker.log, await attacker.stolenKey(), 1000)
    },
    finds: [anchor(0, 99), anchor(599, 699)],
    anchored: 0,
  },
  {
    name: 'a checkpoint in the middle gone, and the others numbered anew',
    attack: `DELETE FROM ${internal}.checkpoints WHERE number = 3; UPDATE ${internal}.checkpoints SET number = -number WHERE number > 3;
      UPDATE ${internal}.checkpoints SET number = -number - 1 WHERE number < 0`,
    finds: [anchor(299, 299)],
    anchored: 700,
  },
  {
    name: 'every seal gone',
    attack: unseal,
    finds: [anchor(0, 699)],
    anchored: 0,
  },
  {
    name: 'the whole log gone, with its seals',
    attack: async (attacker) => {
      await unseal(attacker)
      await attacker.sql('TRUNCATE audit_logs')
    },
    finds: [anchor(0, 699)],
    anchored: 0,
  },
]

describe(`of ${attacks.length} attacks by who has the key, too, an anchor finds`, () => {
  let victim: Victim
  let notes: string[]
  const kept = (of: readonly string[] = notes) => ({
    name: 'outside',
    read: async function* () {
      yield* of
    },
  })

  beforeAll(async () => {
    victim = await sealedLog()
    const rows = await victim.database.sql<{ note: string }>(
      `SELECT note FROM ${internal}.checkpoints ORDER BY number`,
    )
    notes = rows.map(({ note }) => note)
  })

  it.each(attacks.map((attack) => [attack.name, attack] as const))('%s', async (_, given) => {
    const found = await victim.verifyAfter(given.attack, { anchors: [kept()] })
    expect(found.findings).toMatchObject(given.finds)
    expect(found).toMatchObject({ ok: false, found: given.finds.length, anchored: given.anchored })
    // without it nothing is known of any of these
    expect(await victim.verifyAfter(given.attack)).toMatchObject({ ok: true, found: 0, anchored: null })
  })

  it('nothing where nobody did anything, whatever order the notes come in', async () => {
    expect(await victim.verifyAfter('SELECT', { anchors: [kept()] })).toMatchObject({
      ok: true,
      anchored: 700,
    })
    const some = kept([notes[4], notes[1], notes[4]] as string[])
    expect(await victim.verifyAfter('SELECT', { anchors: [some] })).toMatchObject({ ok: true, anchored: 500 })
    expect(await victim.verifyAfter('SELECT', { anchors: [some], since: 3 })).toMatchObject({
      ok: true,
      anchored: 500,
    })
  })

  it('that the anchor itself is empty, or has what nobody signed', async () => {
    expect(await victim.verifyAfter('SELECT', { anchors: [kept([])] })).toMatchObject({
      ...{ ok: false, anchored: 0 },
      findings: [{ kind: 'anchor', message: expect.stringContaining('no checkpoint of this log') }],
    })
    const forged = notes[2]?.replace('300', '301') ?? ''
    expect(await victim.verifyAfter('SELECT', { anchors: [kept([...notes, forged])] })).toMatchObject({
      findings: [{ kind: 'anchor', message: expect.stringContaining('none of the keys signed') }],
    })
  })

  it('what an anchor has too much: two trees that the same key signed', async () => {
    const root = Buffer.alloc(32, 1)
    const other = await (await victim.signer()).sign({ size: 400, root })
    expect(await victim.verifyAfter('SELECT', { anchors: [kept([...notes, other])] })).toMatchObject({
      findings: [anchor(400, 399)],
    })
  })
})
