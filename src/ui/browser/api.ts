import { useLayoutEffect, useState } from 'preact/hooks'
import type { WireAnswers, WireError } from '../wire.ts'
import type { Place } from './location.ts'

const base = document.documentElement.dataset.base ?? ''

/** Resolves when the first rows are drawn, or won't be soon: the rest of the page must not delay them. */
let rowsAreThere = () => {}
const rowsFirst = new Promise<void>((resolve) => {
  rowsAreThere = resolve
  setTimeout(resolve, 1000)
})

/** Asks the handler that served this web page. Its errors say what to do. */
export async function ask<Name extends keyof WireAnswers & string>(
  name: Name,
  parameters: Readonly<Record<string, string | number | undefined>> = {},
  signal?: AbortSignal,
): Promise<WireAnswers[Name]> {
  if (name !== 'entries') await rowsFirst
  const response = await fetch(dataAddress(name, parameters), {
    ...(signal && { signal }),
    headers: { Accept: 'application/json' },
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new Error('The server of this page does not answer. Is it still running?')
  })
  const answer = (await response.json().catch(() => undefined)) as WireAnswers[Name] | WireError | undefined
  if (name === 'entries') requestAnimationFrame(() => setTimeout(rowsAreThere))
  if (response.ok && answer !== undefined) return answer as WireAnswers[Name]
  const message = (answer as WireError | undefined)?.error?.message
  throw new Error(message ?? `The server answered with status ${response.status}.`)
}

/** The address of something that the handler gives. */
export function dataAddress(
  name: string,
  parameters: Readonly<Record<string, string | number | undefined>>,
): string {
  const given = Object.entries(parameters).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)]],
  )
  const query = new URLSearchParams(given).toString()
  return `${base}/api/${name}${query && `?${query}`}`
}

const lasts: Record<string, number> = { '1h': 1, '24h': 24, '7d': 168, '30d': 720, '90d': 2160 }

/** The parameters of a place's filters; "the last 7 days" become a moment, on a whole minute so that answers agree. */
export function filterParameters({
  view: _,
  entry: __,
  last,
  ...filters
}: Place): Record<string, string | undefined> {
  const hours = last === undefined ? undefined : lasts[last]
  if (hours === undefined || filters.from !== undefined) return filters
  const from = Math.floor(Date.now() / 60_000) * 60_000 - hours * 3_600_000
  return { ...filters, from: new Date(from).toISOString() }
}

/** An answer that is loading, loaded or failed. While a new one loads, the previous one stays visible. */
export interface Asked<Answer> {
  readonly answer?: Answer | undefined
  readonly error?: Error | undefined
  readonly loading: boolean
  /** Asks again. */
  readonly retry: () => void
}

/** Asks whenever `key` changes; not while it is undefined. */
export function useAnswer<Answer>(
  key: string | undefined,
  question: (signal: AbortSignal) => Promise<Answer>,
): Asked<Answer> {
  const [state, setState] = useState<{ key?: string | undefined; answer?: Answer; error?: Error }>({})
  const [attempt, setAttempt] = useState(0)
  // the key represents the question
  useLayoutEffect(() => {
    if (key === undefined) return
    const controller = new AbortController()
    question(controller.signal).then(
      (answer) => controller.signal.aborted || setState({ key, answer }),
      (error: Error) => controller.signal.aborted || setState({ key, error }),
    )
    return () => controller.abort()
  }, [key, attempt])
  const { answer, error } = state
  const loading = key !== undefined && state.key !== key
  const retry = () => {
    setState({})
    setAttempt(attempt + 1)
  }
  return { answer, error: loading ? undefined : error, loading, retry }
}
