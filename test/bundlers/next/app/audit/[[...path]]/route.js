import { auditPage } from 'prisma-extension-audit/ui'
import { prisma } from '../../prisma.js'

const page = auditPage(prisma, { basePath: '/audit' })

export function GET(request) {
  return page(request)
}
