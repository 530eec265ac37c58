import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit } from 'prisma-extension-audit'
import { PrismaClient } from './generated/client/client.ts'

/** The application's client. Who looked at a patient is recorded too, and the insurance's number is not. */
export function openDatabase(connectionString: string) {
  return withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString }) }), {
    reads: ['Patient', 'Prescription'],
    redact: { Patient: ['insuranceId'] },
  })
}

export type Database = ReturnType<typeof openDatabase>
