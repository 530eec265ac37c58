import { describe, expect, it } from 'vitest'
import type { Sink } from '../../src/index.ts'
import { rowLine } from '../../src/log/ndjson.ts'
import { files } from '../../src/sinks/files.ts'
import { type SinkUnderTest, sinkContract } from '../../src/sinks/sink-contract.ts'
import { webhook } from '../../src/sinks/webhook.ts'
import { rowsInFiles, startReceiver, temporaryDirectory } from './places.ts'

const sinks: [string, () => Promise<SinkUnderTest>][] = [
  [
    'files',
    async () => {
      const directory = await temporaryDirectory()
      return { create: () => files({ directory }), read: () => rowsInFiles(directory) }
    },
  ],
  [
    'files, each of one batch',
    async () => {
      const directory = await temporaryDirectory()
      return { create: () => files({ directory, maxBytes: 1 }), read: () => rowsInFiles(directory) }
    },
  ],
  [
    'webhook',
    async () => {
      const { url, rows } = await startReceiver()
      return { create: () => webhook({ url, secret: 'x'.repeat(16) }), read: async () => rows() }
    },
  ],
]

describe.each(sinks)('%s', (_, prepare) => {
  for (const { name, check } of sinkContract(prepare)) it(name, check)
})

describe('the contract', () => {
  /** Keeps lines in memory; `breaks` breaks a rule. */
  function memory(breaks: (sink: Sink, lines: string[]) => Sink): SinkUnderTest {
    const lines: string[] = []
    const seen = new Set<bigint>()
    const whole: Sink = {
      name: 'memory',
      write: async ({ entries, number, signal }) => {
        signal.throwIfAborted()
        if (!seen.has(number)) lines.push(...entries.map(rowLine))
        seen.add(number)
        return { number: String(number) }
      },
    }
    return {
      create: () => breaks(whole, lines),
      read: async () =>
        lines.map((line) => JSON.parse(line)).map(({ id, seq, reason }) => ({ id, seq, reason })),
    }
  }

  const failing = async (breaks: (sink: Sink, lines: string[]) => Sink) => {
    const failed: string[] = []
    for (const { name, check } of sinkContract(() => memory(breaks))) {
      await check().catch(() => failed.push(name))
    }
    return failed
  }

  it('is kept by a sink that keeps it', async () => {
    expect(await failing((sink) => sink)).toEqual([])
  })

  it.each<[string, (sink: Sink, lines: string[]) => Sink, number]>([
    [
      'loses the last entry',
      (sink) => ({ ...sink, write: (b) => sink.write({ ...b, entries: b.entries.slice(1) }) }),
      7,
    ],
    [
      'stores doubles',
      (sink, lines) => ({ ...sink, write: async ({ entries }) => void lines.push(...entries.map(rowLine)) }),
      4,
    ],
    [
      'does not give up',
      (sink) => ({ ...sink, write: (b) => sink.write({ ...b, signal: new AbortController().signal }) }),
      1,
    ],
    [
      'cuts off what came later',
      (sink, lines) => ({
        ...sink,
        write: async ({ entries, state, signal }) => {
          signal.throwIfAborted()
          lines.length = (state as number | null) ?? 0
          lines.push(...entries.map(rowLine))
          return lines.length
        },
      }),
      1,
    ],
  ])('finds a sink that %s', async (_, breaks, count) => {
    expect(await failing(breaks)).toHaveLength(count)
  })
})
