import { beforeAll, describe, expect, it } from 'vitest'
import { attacksOnCheckpoints } from './on-checkpoints.ts'
import { attacksOnEverything } from './on-everything.ts'
import { attacksOnLeaves, attacksOnNodes } from './on-leaves.ts'
import { attacksOnRows } from './on-rows.ts'
import { attacksOnValues } from './on-values.ts'
import { sealedLog, type Victim } from './victim.ts'

const attacks = [
  ...[...attacksOnValues, ...attacksOnRows, ...attacksOnLeaves, ...attacksOnNodes],
  ...[...attacksOnCheckpoints, ...attacksOnEverything],
].map((attack) => [attack.name, attack] as const)

describe(`of ${attacks.length} attacks by a superuser, verify finds and names`, () => {
  let victim: Victim
  beforeAll(async () => {
    victim = await sealedLog()
  })

  it.each(attacks)('%s', async (_, { attack, finds }) => {
    const { ok, findings, found } = await victim.verifyAfter(attack)
    expect(findings).toMatchObject(finds)
    expect({ ok, found }).toEqual({ ok: false, found: finds.length })
  })

  it('nothing where nobody did anything', async () => {
    expect(await victim.verifyAfter('SELECT')).toMatchObject({ ok: true, findings: [], checkpoints: 7 })
  })

  it('each under a name of its own', () => {
    expect(new Set(attacks.map(([name]) => name)).size).toBe(attacks.length)
    expect(attacks.length).toBeGreaterThan(61)
  })
})
