import { InvalidRequest } from '../data/invalid-request.ts'
import type { LogReader } from '../data/log-reader.ts'
import { requestConditions } from '../data/request-conditions.ts'
import { errorAnswer, jsonAnswer } from './answers.ts'
import { assetAnswer, documentAnswer } from './assets.ts'
import { explainError } from './explain-error.ts'
import { exportAnswer } from './export.ts'

/** A handler in the style of `fetch`. */
export type PageHandler = (request: Request, basePath?: string) => Promise<Response>

const [usualLimit, largestLimit] = [100, 500]

/**
 * Answers requests for the web page and its data: only GET and HEAD, everything else is refused.
 *
 * @param onError called with errors that the web page only summarizes
 */
export function webPageHandler(reader: LogReader, onError: (error: unknown) => void): PageHandler {
  return async (request, basePath = '') => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return errorAnswer(405, 'METHOD_NOT_ALLOWED', 'The page only reads: GET and HEAD.', {
        Allow: 'GET, HEAD',
      })
    }
    try {
      const response = await route(reader, new URL(request.url), basePath)
      if (request.method !== 'HEAD') return response
      await response.body?.cancel()
      return new Response(null, response)
    } catch (error) {
      if (!(error instanceof InvalidRequest)) onError(error)
      return explainError(error)
    }
  }
}

async function route(reader: LogReader, url: URL, basePath: string): Promise<Response> {
  const path = below(basePath, url.pathname)
  const [first = '', second = '', third, ...rest] = path.split('/').filter(Boolean)
  if (first === '') return documentAnswer(basePath)
  if (rest.length === 0 && third === undefined && first === 'assets') {
    const found = await assetAnswer(second, url.searchParams.get('v'))
    if (found) return found
  }
  if (first === 'api' && second === 'export' && third === undefined) {
    return exportAnswer(reader.entries(requestConditions(url.searchParams)), url.searchParams.get('format'))
  }
  if (first === 'api' && rest.length === 0) {
    const found = await data(reader, second, third, url.searchParams)
    if (found !== undefined) return jsonAnswer(found)
    if ((second === 'entries' || second === 'seals') && third !== undefined) {
      return errorAnswer(404, 'NOT_FOUND', 'The log has no entry with this id.')
    }
  }
  return errorAnswer(404, 'NOT_FOUND', 'There is nothing at this address.')
}

/** Undefined when there is nothing with that name. */
async function data(
  reader: LogReader,
  name: string,
  id: string | undefined,
  parameters: URLSearchParams,
): Promise<unknown> {
  if (name === 'entries' && id !== undefined) return reader.entry(id)
  if (name === 'seals' && id !== undefined) return reader.seal(id)
  if (id !== undefined) return undefined
  switch (name) {
    case 'entries':
      return reader.page(requestConditions(parameters), {
        limit: wholeNumber(parameters, 'limit', usualLimit, largestLimit),
        cursor: parameters.get('cursor') || undefined,
      })
    case 'activity':
      return reader.activity(requestConditions(parameters), wholeNumber(parameters, 'buckets', 120, 400))
    case 'overview':
      return reader.overview()
    case 'failed-logins':
      return reader.failedLogins(requestConditions(parameters))
    case 'delivery':
      return reader.delivery?.()
    case 'integrity':
      return reader.integrity?.()
    default:
      return undefined
  }
}

function wholeNumber(parameters: URLSearchParams, name: string, usual: number, largest: number): number {
  const text = parameters.get(name)
  if (text === null || text === '') return usual
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= largest) return number
  throw new InvalidRequest(`"${name}" must be a whole number from 1 to ${largest}.`)
}

/** The path below the one where the web page is mounted; some frameworks have removed that already. */
function below(basePath: string, path: string): string {
  const mounted = basePath !== '' && (path === basePath || path.startsWith(`${basePath}/`))
  return mounted ? path.slice(basePath.length) : path
}
