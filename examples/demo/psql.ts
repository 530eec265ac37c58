import pg from 'pg'
import type { Atlas } from './atlas.ts'
import { count, printStep } from './terminal.ts'

/** An edit by a program that knows nothing of the log, as somebody with `psql` makes it: the triggers record it. */
export async function editWithPsql(prisma: Atlas, connectionString: string): Promise<void> {
  const before = await prisma.auditLog.count()
  const psql = new pg.Client({ connectionString, application_name: 'psql' })
  await psql.connect()
  await psql.query(`UPDATE countries SET capitals = '{}' WHERE code = 'NR'`)
  await psql.end()
  const entries = (await prisma.auditLog.count()) - before
  printStep(true, 'psql   Nauru has no official capital', count(entries, 'entry', 'entries'))
}
