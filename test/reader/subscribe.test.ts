import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type AuditEntry,
  type AuditError,
  getAuditContext,
  type SubscribeOptions,
  type SubscriptionBatch,
  withAudit,
  withAuditContext,
} from '../../src/index.ts'
import { bundledScript } from '../support/bundled-script.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { until, write } from './readers.ts'

const database = await createDatabase()
const prisma = withAudit(createClient(database.url))

/** A subscriber that remembers what it was told. */
async function remember(
  name: string,
  options: SubscribeOptions = {},
  work: (entries: AuditEntry[], batch: SubscriptionBatch) => void | Promise<void> = () => {},
  client = prisma,
) {
  const told: string[] = []
  const batches: bigint[] = []
  const errors: AuditError[] = []
  const subscription = await client.$audit.subscribe(
    name,
    async (entries, batch) => {
      await work(entries, batch)
      told.push(...entries.map(({ action }) => action))
      batches.push(batch.number)
    },
    { pollInterval: 20, onError: (error) => errors.push(error), ...options },
  )
  onTestFinished(() => subscription.stop())
  return { told, batches, errors, subscription }
}

const rowOf = async (name: string) => {
  const [row] = await database.sql('SELECT * FROM audit_logs_internal.consumers WHERE name = $1', [name])
  return row
}

describe('a subscriber', () => {
  it('is told of entries after they have been committed, in order, and not of what was rolled back', async () => {
    const { told, batches } = await remember(unique('sub'))
    const name = unique('tag')
    await prisma.$transaction(async (tx) => {
      const tag = await tx.tag.create({ data: { name } })
      await tx.tag.update({ where: { id: tag.id }, data: { name: `${name}!` } })
      await sleep(100)
      expect(told).toEqual([])
    })
    await prisma
      .$transaction(async (tx) => {
        await tx.tag.create({ data: { name: unique('gone') } })
        throw new Error('no')
      })
      .catch(() => {})
    await prisma.tag.delete({ where: { name: `${name}!` } })
    await until(() => told.length >= 3, 'three entries should have come')
    await sleep(100)
    expect(told).toEqual(['tag.create', 'tag.update', 'tag.delete'])
    expect(batches).toEqual(batches.map((_, index) => BigInt(index + 1)))
  })

  it('begins now, or at the beginning; a name that is known goes on', async () => {
    const [now, all] = [unique('sub'), unique('sub')]
    const before = (await database.sql('SELECT action FROM audit_logs')).length
    const first = await remember(now)
    const everything = await remember(all, { from: 'beginning' })
    await until(() => everything.told.length === before, 'all entries should have come')
    await first.subscription.stop()
    await write(database.pool, 'while.away')
    const second = await remember(now)
    await until(() => second.told.length > 0, 'the entry should have come')
    expect([first.told, second.told]).toEqual([[], ['while.away']])
  })

  it('gets entries as helpers return them, outside of the context it was made in', async () => {
    const got: AuditEntry[] = []
    const contexts: unknown[] = []
    await withAuditContext({ actor: { id: 'ada', type: 'user' } }, () =>
      remember(unique('sub'), {}, (entries) => {
        got.push(...entries)
        contexts.push(getAuditContext())
      }),
    )
    const tag = await prisma.tag.create({ data: { name: unique('tag') } })
    await until(() => got.length > 0, 'the entry should have come')
    expect(got).toEqual((await prisma.$audit.history('Tag', tag.id)).entries)
    expect(contexts).toEqual([undefined])
  })

  it('gets the same batch again after an error, and nothing later before', { timeout: 20_000 }, async () => {
    const tries: [bigint, string[]][] = []
    const { told, errors } = await remember(unique('sub'), { batchSize: 2 }, (entries, { number }) => {
      tries.push([number, entries.map(({ action }) => action)])
      if (tries.length < 3) throw new Error(`try ${tries.length}`)
    })
    for (const n of [1, 2, 3]) await write(database.pool, `retried.${n}`)
    await until(() => told.length === 3, 'three entries should have come')
    const [first] = tries
    expect(tries.slice(0, 3)).toEqual([first, first, first])
    expect(told).toEqual(['retried.1', 'retried.2', 'retried.3'])
    expect(errors.map(({ code, cause }) => [code, String(cause)])).toEqual([
      ['AUDIT_SUBSCRIBER_FAILED', 'Error: try 1'],
      ['AUDIT_SUBSCRIBER_FAILED', 'Error: try 2'],
    ])
  })

  it('tells the option onError of withAudit where it has none of its own', async () => {
    const errors: AuditError[] = []
    const audited = withAudit(createClient(database.url), { onError: (error) => errors.push(error) })
    await remember(
      unique('sub'),
      { onError: undefined },
      () => {
        throw new Error('no')
      },
      audited as typeof prisma,
    )
    await write(database.pool, 'for.nobody')
    await until(() => errors.length > 0, 'the error should have come')
    expect(errors[0]?.code).toBe('AUDIT_SUBSCRIBER_FAILED')
  })

  it('goes on when the database was away', { timeout: 30_000 }, async () => {
    const { told, errors } = await remember(unique('sub'))
    await database.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    await write(database.pool, 'after.all')
    await until(() => told.length > 0, 'the entry should have come')
    expect(told).toEqual(['after.all'])
    expect(errors.every(({ code }) => code === 'AUDIT_UNREADABLE')).toBe(true)
  })
})

describe('the end', () => {
  it('comes at once, whatever the pause between two looks', async () => {
    const { subscription } = await remember(unique('sub'), { pollInterval: 100_000 })
    const start = performance.now()
    await subscription.stop()
    await subscription.stop()
    expect(performance.now() - start).toBeLessThan(1_000)
  })

  it('waits for the handler, tells it, and keeps what it has done', async () => {
    const name = unique('sub')
    let aborted = false
    const { told, subscription } = await remember(name, {}, async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      await sleep(50)
      aborted = true
    })
    await write(database.pool, 'at.hand')
    await until(async () => (await rowOf(name))?.batch_era !== null, 'the batch should have begun')
    await sleep(50)
    await subscription.stop()
    expect({ aborted, told }).toEqual({ aborted: true, told: ['at.hand'] })
    expect(await rowOf(name)).toMatchObject({ batch: '1', batch_era: null, lease_holder: null })
  })

  it.each(['signal', '$disconnect'])('comes by %s', async (way) => {
    const name = unique('sub')
    const controller = new AbortController()
    const audited = withAudit(createClient(database.url))
    await remember(name, { signal: controller.signal }, () => {}, audited as typeof prisma)
    await until(async () => (await rowOf(name))?.lease_holder !== null, 'it should be at work')
    if (way === 'signal') controller.abort()
    else await audited.$disconnect()
    await until(async () => (await rowOf(name))?.lease_holder === null, 'it should have stopped')
  })
})

describe('two of one name', () => {
  it('one works, and the other takes over when it stops', async () => {
    const name = unique('sub')
    const [a, b] = [await remember(name), await remember(name)]
    for (const n of [1, 2, 3, 4]) await write(database.pool, `shared.${n}`)
    await until(() => a.told.length + b.told.length === 4, 'four entries should have come')
    const [working, waiting] = a.told.length > 0 ? [a, b] : [b, a]
    expect([working.told.length, waiting.told]).toEqual([4, []])
    await working.subscription.stop()
    await write(database.pool, 'shared.5')
    await until(() => waiting.told.length > 0, 'the other should have taken over')
    expect(waiting.told).toEqual(['shared.5'])
  })

  it('a handler that is busy for longer than the lease keeps it', async () => {
    const name = unique('sub')
    const work = () => sleep(2_000)
    const options = { leaseDuration: 800 }
    const [a, b] = [await remember(name, options, work), await remember(name, options, work)]
    await write(database.pool, 'slow.1')
    await until(() => a.told.length + b.told.length > 0, 'the entry should have come')
    await sleep(300)
    expect([...a.told, ...b.told]).toEqual(['slow.1'])
    expect([...a.errors, ...b.errors]).toEqual([])
  })

  it('one that lost its lease is told, and does not move the cursor', async () => {
    const name = unique('sub')
    const { errors } = await remember(name, { leaseDuration: 150 }, async (_, { signal }) => {
      await database.sql(
        `UPDATE audit_logs_internal.consumers SET lease_holder = gen_random_uuid(), lease_until = now() + interval '1 hour' WHERE name = $1`,
        [name],
      )
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    })
    await write(database.pool, 'taken.over')
    await until(() => errors.length > 0, 'the loss should have been told')
    expect(errors.map(({ code }) => code)).toEqual(['AUDIT_LEASE_LOST'])
    expect(await rowOf(name)).toMatchObject({ batch: '1', batch_era: 1, acknowledged_at: null })
  })
})

describe('a process that is killed', async () => {
  const script = await bundledScript(new URL('subscribing-process.ts', import.meta.url))

  /** Starts a subscriber and gives its lines as they come. */
  function start(name: string, pause: number) {
    const child = spawn(process.execPath, [script, database.url, name, String(pause)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const batches: [string, string[]][] = []
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line !== 'subscribed') batches.push(JSON.parse(line))
    })
    const kill = async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    onTestFinished(kill)
    return { batches, kill }
  }

  it('has lost nothing, wherever it was: the next one gets the batch in flight again', {
    timeout: 120_000,
  }, async () => {
    const name = unique('sub')
    const since = await database.lastSeq()
    for (let n = 0; n < 40; n++) await write(database.pool, `killed.${n}`)
    const seen: [string, string[]][] = []
    for (let round = 0; round < 3; round++) {
      const { batches, kill } = start(name, 30)
      await until(() => batches.length > round, 'a batch should have come')
      await sleep(Math.random() * 60)
      await kill()
      seen.push(...batches)
    }
    const last = start(name, 0)
    await until(
      () => last.batches.flatMap(([, actions]) => actions).includes('killed.39'),
      'the last entry should have come',
    )
    seen.push(...last.batches)
    const byNumber = new Map<string, string[]>()
    for (const [number, actions] of seen) {
      expect(byNumber.get(number) ?? actions).toEqual(actions)
      byNumber.set(number, actions)
    }
    const told = [...byNumber.values()].flat()
    const logged = await database.sql<{ action: string }>(
      'SELECT action FROM audit_logs ORDER BY transaction_id, seq',
    )
    expect(since).toBeGreaterThan(0n)
    expect(told).toEqual(logged.map(({ action }) => action))
  })
})

describe('what can not be', () => {
  it.each<[string, unknown[]]>([
    ['an empty name', ['', () => {}]],
    ['a name that is too long', ['x'.repeat(201), () => {}]],
    ['no handler', ['name', undefined]],
    ['another place to begin', ['name', () => {}, { from: 'yesterday' }]],
    ['no entries at a time', ['name', () => {}, { batchSize: 0 }]],
    ['an unknown option', ['name', () => {}, { filter: {} }]],
  ])('is refused: %s', async (_, parameters) => {
    const subscribe = prisma.$audit.subscribe as (...all: unknown[]) => Promise<unknown>
    await expect(subscribe(...parameters)).rejects.toMatchObject({ code: 'AUDIT_INVALID_SUBSCRIPTION' })
  })

  it('is refused: inside a transaction', async () => {
    await prisma.$transaction((tx) =>
      expect(tx.$audit.subscribe('inside', () => {})).rejects.toMatchObject({
        code: 'AUDIT_INVALID_SUBSCRIPTION',
      }),
    )
  })

  it('is said at once where the migration is missing', async () => {
    const bare = await createDatabase()
    await bare.sql('DROP TABLE audit_logs_internal.consumers')
    const audited = withAudit(createClient(bare.url))
    await expect(audited.$audit.subscribe('early', () => {})).rejects.toMatchObject({
      code: 'AUDIT_TABLE_MISSING',
    })
  })
})
