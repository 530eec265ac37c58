import { createHash, timingSafeEqual } from 'node:crypto'
import { answer, errorAnswer } from './answers.ts'
import type { PageHandler } from './handler.ts'

/** Who may see a web page that has its own server. */
export interface Access {
  /** Host names that a request may have; others come from a site whose name points here (DNS rebinding). */
  readonly hosts?: readonly string[]
  /** The secret that a visitor needs. */
  readonly token?: string
}

const cookieName = 'prisma-extension-audit'

/**
 * Lets requests through that have the right host and the token: in the address at the first visit (`?token=…`, which
 * then moves to a cookie), or as `Authorization: Bearer …`.
 */
export function withAccess(webPage: PageHandler, { hosts, token }: Access): PageHandler {
  return async (request, basePath) => {
    const url = new URL(request.url)
    if (hosts && !hosts.includes(hostName(request))) {
      return errorAnswer(
        421,
        'WRONG_HOST',
        'The page is for this machine only. Open it at the address that the command printed.',
      )
    }
    if (token === undefined) return webPage(request, basePath)

    const given = url.searchParams.get('token')
    if (given !== null && isSameSecret(given, token)) {
      url.searchParams.delete('token')
      return answer(null, 303, {
        Location: `${url.pathname.replace(/^\/+/, '/')}${url.search}`,
        'Set-Cookie': `${cookieName}=${sessionOf(token)}; HttpOnly; SameSite=Lax; Path=/`,
      })
    }
    if (isSameSecret(bearer(request), token) || isSameSecret(cookie(request), sessionOf(token)))
      return webPage(request, basePath)
    return errorAnswer(
      401,
      'TOKEN_REQUIRED',
      'Open the page at the address that the command printed, with its token.',
      {
        'WWW-Authenticate': 'Bearer',
      },
    )
  }
}

/** `[::1]:4477` → `[::1]`. */
function hostName(request: Request): string {
  const host = request.headers.get('host') ?? ''
  return host.replace(/:\d+$/, '').toLowerCase()
}

/** A cookie that does not reveal the token to those who can read cookies. */
function sessionOf(token: string): string {
  return digest(`session of ${token}`).toString('base64url')
}

function bearer(request: Request): string {
  return /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? ''
}

function cookie(request: Request): string {
  const pairs = (request.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim().split('='))
  return pairs.find(([name]) => name === cookieName)?.[1] ?? ''
}

/** Takes equally long for any text, right or wrong. */
function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
