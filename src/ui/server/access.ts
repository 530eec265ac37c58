import { createHash, timingSafeEqual } from 'node:crypto'
import { answer, errorAnswer } from './answers.ts'
import type { PageHandler } from './handler.ts'

/** Who may see a web page that has a server of its own. */
export interface Access {
  /** Names that a request may ask for; others come from a site that had its own name point here (DNS rebinding). */
  readonly hosts?: readonly string[]
  /** What a visitor has to know. */
  readonly token?: string
}

const cookieName = 'prisma-extension-audit'

/**
 * Lets through who asks for the right host and knows the token: in the address at the first visit (`?token=…`, which
 * makes it a cookie and takes it out of the address), or as `Authorization: Bearer …`.
 */
export function withAccess(webPage: PageHandler, { hosts, token }: Access): PageHandler {
  return async (request, basePath) => {
    const url = new URL(request.url)
    if (hosts && !hosts.includes(hostName(request))) {
      return errorAnswer(
        421,
        'WRONG_HOST',
        'The page is for this machine alone. Open it by the address that the command printed.',
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
      'Open the page by the address that the command printed, with its token.',
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

/** A cookie that does not show the token to who can read cookies. */
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

/** Takes as long for any text, right or wrong. */
function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
