import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common'
import type { NextFunction, Request, Response } from 'express'

export interface StaffRequest extends Request {
  staff?: { id: string; ward: string }
}

/** What opens the log to a doctor in a browser. */
export const password = 'clinic'

/** Lets staff in. A real clinic would check a token; here `Authorization: dr-kim@ward-3` is enough. */
@Injectable()
export class StaffGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<StaffRequest>()
    const [id, ward] = request.headers.authorization?.split('@') ?? []
    if (!id || !ward) return false
    request.staff = { id, ward }
    return true
  }
}

/** Lets doctors in: middleware, since guards protect controllers only. A browser asks for the name and the password. */
export function requireDoctor(request: Request, response: Response, next: NextFunction): void {
  const [, encoded = ''] = request.headers.authorization?.match(/^Basic (.+)$/) ?? []
  const [name, given] = Buffer.from(encoded, 'base64').toString().split(':')
  if (name?.startsWith('dr-') && given === password) next()
  else
    response
      .status(401)
      .set('WWW-Authenticate', 'Basic realm="The log of the clinic"')
      .send('For doctors only')
}
