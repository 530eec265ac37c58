import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { WireEntry, WirePage } from '../wire.ts'
import { ask, filterParameters } from './api.ts'
import type { Place } from './location.ts'
import { type News, newestFirst, useNews } from './news.ts'

/** The entries of a filter that have been fetched, newest first. */
export interface LoadedEntries {
  readonly entries: readonly WireEntry[]
  readonly loading: boolean
  readonly error: Error | undefined
  /** There are older ones, or may be. */
  readonly hasMore: boolean
  /** The search ran out of time at this moment, and can continue from there. */
  readonly stoppedAt: string | null
  readonly loadMore: () => void
  /** Entries that came meanwhile; the list does not show them until it is told to. */
  readonly news: News
  readonly showNews: () => void
  /** How often news were shown: other answers about the same filter are as old as the list. */
  readonly version: number
}

interface State {
  readonly entries: readonly WireEntry[]
  readonly cursor: string | null | undefined
  readonly stoppedAt: string | null
  readonly loading: boolean
  readonly error: Error | undefined
}

const empty: State = { entries: [], cursor: undefined, stoppedAt: null, loading: true, error: undefined }

/** @param first how many to start with: enough for a screen, since each takes the browser time */
export function useEntries(filter: Place, first = 50): LoadedEntries {
  const key = JSON.stringify(filter)
  const [state, setState] = useState<State>(empty)
  const [version, setVersion] = useState(0)
  const request = useRef<{ parameters: Record<string, string | undefined>; controller: AbortController }>(
    undefined,
  )

  const load = useCallback(
    (cursor: string | undefined) => {
      const current = request.current
      if (!current) return
      const { parameters, controller } = current
      setState((before) => ({ ...before, loading: true, error: undefined }))
      const limit = cursor === undefined ? first : 200
      ask('entries', { ...parameters, limit, cursor }, controller.signal).then(
        (page: WirePage) => {
          if (controller.signal.aborted) return
          setState((before) => ({
            entries: cursor === undefined ? page.entries : [...before.entries, ...page.entries],
            cursor: page.nextCursor,
            stoppedAt: page.stoppedAt,
            loading: false,
            error: undefined,
          }))
        },
        (error: Error) => {
          if (!controller.signal.aborted) setState((before) => ({ ...before, loading: false, error }))
        },
      )
    },
    [first],
  )

  // the key represents the filter; before the next paint, not after it, since the reader is waiting
  useLayoutEffect(() => {
    const controller = new AbortController()
    // the range of "the last 7 days" is the same for all pages of one list
    request.current = { parameters: filterParameters(filter), controller }
    setState(empty)
    load(undefined)
    return () => controller.abort()
  }, [key, load])

  const [news, forgetNews] = useNews({
    key: state.cursor === undefined ? undefined : key,
    parameters: request.current?.parameters ?? {},
    entries: state.entries,
    hasMore: typeof state.cursor === 'string',
  })
  const showNews = () => {
    forgetNews()
    setVersion(version + 1)
    // too many to know them all: the list begins anew
    if (news.isPart) load(undefined)
    else
      setState((before) => ({ ...before, entries: [...news.entries, ...before.entries].sort(newestFirst) }))
  }
  const loadMore = () => {
    if (state.loading) return
    if (state.cursor !== null) load(state.cursor)
  }
  return {
    entries: state.entries,
    loading: state.loading,
    error: state.error,
    hasMore: typeof state.cursor === 'string',
    stoppedAt: state.stoppedAt,
    loadMore,
    ...{ news, showNews, version },
  }
}
