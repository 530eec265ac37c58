import { randomUUID, scryptSync, timingSafeEqual } from 'node:crypto'
import type { RequestHandler } from 'express'
import type { Database } from './database.ts'

export interface User {
  readonly id: number
  readonly email: string
  readonly role: 'CLERK' | 'MANAGER'
}

declare global {
  namespace Express {
    interface Request {
      user?: User
    }
  }
}

const sessions = new Map<string, User>()

export function hashPassword(password: string, salt: string = randomUUID()): string {
  return `${salt}:${scryptSync(password, salt, 32).toString('hex')}`
}

function isPasswordOf(password: string, hash: string): boolean {
  const [salt = ''] = hash.split(':')
  return timingSafeEqual(Buffer.from(hashPassword(password, salt)), Buffer.from(hash))
}

/** For people; programs send JSON. */
export const loginPage: RequestHandler = (_request, response) => {
  response.type('html').send(`<!doctype html><title>Order desk</title>
    <meta name="viewport" content="width=device-width"><h1>Order desk</h1><p>Sign in to see its audit log.</p>
    <form method="post"><input name="email" type="email" placeholder="E-mail" required>
    <input name="password" type="password" placeholder="Password" required><button>Sign in</button></form>`)
}

/** Signs a user in, and records the attempt: one that failed too. Programs get a token, browsers a cookie. */
export function login(db: Database): RequestHandler {
  return async (request, response) => {
    const { email, password } = request.body
    const user = await db.user.findUnique({ where: { email } })
    if (!user || !isPasswordOf(password, user.passwordHash)) {
      await db.$audit.logLogin(user ? String(user.id) : email, false, {
        reason: user ? 'wrong password' : 'no such user',
      })
      response.status(401).json({ error: 'Wrong e-mail or password' })
      return
    }
    await db.$audit.logLogin(String(user.id), true)
    const token = randomUUID()
    sessions.set(token, { id: user.id, email: user.email, role: user.role })
    // a strict cookie is not sent with what other sites make a browser ask for
    response.cookie('session', token, { httpOnly: true, sameSite: 'strict' })
    if (request.is('urlencoded')) response.redirect(303, '/audit')
    else response.json({ token })
  }
}

/** Puts the signed-in user on the request, from `Authorization: Bearer <token>` or the cookie. */
export const authenticate: RequestHandler = (request, _response, next) => {
  const { authorization, cookie } = request.headers
  const token = authorization?.replace(/^Bearer /, '') ?? /(?:^|; )session=([^;]+)/.exec(cookie ?? '')?.[1]
  const user = token === undefined ? undefined : sessions.get(token)
  if (user) request.user = user
  next()
}

export const requireUser: RequestHandler = (request, response, next) => {
  if (request.user) next()
  else response.status(401).json({ error: 'Sign in first: POST /login' })
}

export const requireManager: RequestHandler = (request, response, next) => {
  if (request.user?.role === 'MANAGER') next()
  else response.status(403).json({ error: 'For managers only' })
}
