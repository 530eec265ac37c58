import { readdirSync, readFileSync } from 'node:fs'
import type pg from 'pg'

/** What the system says of a process, in ticks of the clock. */
interface ProcessTimes {
  readonly parent: number
  readonly own: number
  /** Of its children that have ended. */
  readonly ended: number
}

/** There are a hundred a second. */
const microsecondsOfTick = 10_000

/** Microseconds of the processor that a process has used; 0 where it is gone, or the system does not tell. */
export function processorTime(pid: number): number {
  return (timesOf(pid)?.own ?? 0) * microsecondsOfTick
}

/** The same of the whole PostgreSQL server that a pool is connected to. */
export async function databaseProcessorTime(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  return rows[0] ? serverProcessorTime(rows[0].pid) : 0
}

/**
 * With the processes of the server that have ended: so it never falls, whoever ends between two readings.
 *
 * @param backend the process of one of its sessions
 */
function serverProcessorTime(backend: number): number {
  const first = timesOf(backend)?.parent
  if (first === undefined) return 0
  while (true) {
    const before = timesOf(first)
    if (!before) return 0
    const running = processes().filter(({ parent }) => parent === first)
    // who ended meanwhile would count twice, or not at all
    if (timesOf(first)?.ended !== before.ended) continue
    return running.reduce((sum, { own }) => sum + own, before.own + before.ended) * microsecondsOfTick
  }
}

function processes(): ProcessTimes[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => timesOf(Number(pid)) ?? [])
}

function timesOf(pid: number): ProcessTimes | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // behind the name, which may have spaces and brackets
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const number = (at: number) => Number(fields[at])
    return { parent: number(1), own: number(11) + number(12), ended: number(13) + number(14) }
  } catch {
    return undefined
  }
}
