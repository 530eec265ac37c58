import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit } from 'prisma-extension-audit'
import { PrismaClient } from '../../generated/esm.js'

const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })
export const prisma = withAudit(new PrismaClient({ adapter }))
