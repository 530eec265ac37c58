import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common'
import type { Request } from 'express'

export interface StaffRequest extends Request {
  staff?: { id: string; ward: string }
}

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
