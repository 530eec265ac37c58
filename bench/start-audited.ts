import { withAudit } from 'prisma-extension-audit'
import { firstWrite } from './start-process.ts'

await firstWrite(withAudit)
