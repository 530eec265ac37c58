import { useEffect, useRef, useState } from 'preact/hooks'
import type { WireEntry } from '../wire.ts'
import { ask } from './api.ts'

/**
 * Milliseconds from one look to the next, and how far before the newest entry to look: a long transaction commits entries
 * of before. The most entries of one look.
 */
const [pause, overlap, most] = [5_000, 60_000, 200]

/** Entries that came since the list was loaded, and that it does not show yet. */
export interface News {
  readonly entries: readonly WireEntry[]
  /** There may be more than these. */
  readonly isPart: boolean
  /** The last look failed. */
  readonly error: Error | undefined
}

const none: News = { entries: [], isPart: false, error: undefined }

interface Watched {
  /** Of the list's filter; undefined while it loads. */
  readonly key: string | undefined
  readonly parameters: Readonly<Record<string, string | undefined>>
  readonly entries: readonly WireEntry[]
  readonly hasMore: boolean
}

/** Looks for new entries of a list as long as the reader sees it. */
export function useNews(watched: Watched): readonly [News, forget: () => void] {
  const [news, setNews] = useState<News>(none)
  const latest = useRef(watched)
  latest.current = watched
  useEffect(() => {
    setNews(none)
    if (watched.key === undefined) return
    const controller = new AbortController()
    const begin = Date.now()
    let timer: ReturnType<typeof setTimeout>
    const look = async () => {
      clearTimeout(timer)
      if (!document.hidden) {
        const found = await findNews(latest, begin, controller.signal)
        if (controller.signal.aborted) return
        if (found) setNews(found)
      }
      timer = setTimeout(look, pause)
    }
    timer = setTimeout(look, pause)
    const lookAtOnce = () => void look()
    document.addEventListener('visibilitychange', lookAtOnce)
    return () => {
      controller.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', lookAtOnce)
    }
  }, [watched.key])
  return [news, () => setNews(none)]
}

/** Undefined where there can be none. */
async function findNews(
  latest: { readonly current: Watched },
  begin: number,
  signal: AbortSignal,
): Promise<News | undefined> {
  const { parameters, entries } = latest.current
  const newest = entries[0] === undefined ? begin : Date.parse(entries[0].timestamp)
  const since = new Date(newest - overlap).toISOString()
  const from =
    parameters.from !== undefined && Date.parse(parameters.from) > Date.parse(since) ? parameters.from : since
  if (parameters.to !== undefined && Date.parse(parameters.to) <= Date.parse(from)) return undefined
  try {
    const page = await ask('entries', { ...parameters, from, limit: most }, signal)
    // the reader may have loaded more meanwhile
    const shown = latest.current
    const known = new Set(shown.entries.map(({ id }) => id))
    const oldest = shown.hasMore ? shown.entries.at(-1) : undefined
    const isNew = (entry: WireEntry) => !known.has(entry.id) && (!oldest || newestFirst(entry, oldest) < 0)
    return { entries: page.entries.filter(isNew), isPart: page.nextCursor !== null, error: undefined }
  } catch (error) {
    return { ...none, error: error as Error }
  }
}

/** Newest first, as the log gives them. */
export function newestFirst(one: WireEntry, other: WireEntry): number {
  if (one.timestamp !== other.timestamp) return one.timestamp > other.timestamp ? -1 : 1
  return BigInt(one.seq) > BigInt(other.seq) ? -1 : 1
}
