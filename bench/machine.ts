import { availableParallelism, cpus, loadavg } from 'node:os'
import prismaPackage from '@prisma/client/package.json' with { type: 'json' }
import type { BenchDatabase } from './database.ts'

/** Processes that ran or wanted to, on average over the last minute. */
export function currentLoad(): number {
  return loadavg()[0] ?? Number.NaN
}

/** Where and when a result was measured. */
export function machineFacts({ version, settings }: BenchDatabase, loadBefore: number) {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    // the benchmark itself keeps a client and a server process busy: about 1; what is above comes from elsewhere
    load: `${loadBefore.toFixed(1)} before, ${currentLoad().toFixed(1)} at the end`,
    node: process.version,
    prisma: prismaPackage.version,
    postgres: version,
    settings: `${settings}; all else by default`,
    date: new Date().toISOString(),
  }
}

export type MachineFacts = ReturnType<typeof machineFacts>
