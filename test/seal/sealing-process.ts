// Seals, and kills itself in the midst of a statement of its own, or where it is told to. Started by killed.test.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit } from '../../src/index.ts'
import { auditOf } from '../../src/prisma-7/registry.ts'
import { readerLog } from '../../src/reader/reader-log.ts'
import { Sealer } from '../../src/seal/sealer.ts'
import { openSigner } from '../../src/seal/signer.ts'
import { sealSchema } from '../../src/seal-schema.ts'
import { PrismaClient } from '../generated/client/client.ts'

const [connectionString, environment = '', origin, moment] = process.argv.slice(2)
const prisma = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString }) }))
const found = auditOf(prisma)?.log
if (!found) throw new Error('the client is not audited')
const kill = () => process.kill(process.pid, 'SIGKILL')
const { table, connection } = readerLog(found)
let appended = 0

const sealer = new Sealer(
  {
    table,
    connection: {
      query: async (sql, ...values) => {
        const isAppending = sql.includes('INSERT INTO') && sql.includes('checkpoints')
        const isLast = isAppending && ++appended === 3
        if (isLast && moment === 'before it is stored') kill()
        if (isLast && moment === 'while it is stored') setTimeout(kill, Math.random() * 4)
        const rows = await connection.query<never>(sql, ...values)
        if (isLast && moment === 'once it is stored') kill()
        return rows
      },
    },
  },
  await openSigner(sealSchema.parse({ key: { environment }, origin })),
)
while (true) if (!(await sealer.step(50)).isMore) await sleep(5)
