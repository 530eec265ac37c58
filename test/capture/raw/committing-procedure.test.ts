import { afterAll, expect, it } from 'vitest'
import { withAudit, withAuditContext } from '../../../src/index.ts'
import { createClient, createDatabase } from '../../support/database.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))
afterAll(() => prisma.$disconnect())

await db.sql(`
  CREATE TABLE item (id int PRIMARY KEY);
  SELECT audit_logs_watch('item', 'item');
  CREATE PROCEDURE untold() LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO item VALUES (1); COMMIT;
    INSERT INTO item VALUES (2); COMMIT;
  END $$;
  CREATE PROCEDURE told(context jsonb) LANGUAGE plpgsql AS $$ BEGIN
    PERFORM audit_logs_set_context(context); INSERT INTO item VALUES (3); COMMIT;
    PERFORM audit_logs_set_context(context); INSERT INTO item VALUES (4); COMMIT;
  END $$;
`)

async function actorsOf(sql: string): Promise<string[]> {
  const since = await db.lastSeq()
  const ada = { actor: { id: 'ada', type: 'user' } } as const
  await withAuditContext(ada, async () => await prisma.$executeRawUnsafe(sql))
  const entries = await db.sql<{ id: string; actor: string }>(
    `SELECT resource_id AS id, actor_id AS actor FROM audit_logs WHERE seq > $1 AND action = 'item.create' ORDER BY seq`,
    [since],
  )
  return entries.map(({ id, actor }) => `${id} by ${actor.replace(/:.*/, '')}`)
}

it('the rows of a procedure that commits have the database’s role as their actor', async () => {
  expect(await actorsOf('CALL untold()')).toEqual(['1 by postgres', '2 by postgres'])
})

it('a procedure that commits can say itself who acts, in each of its transactions', async () => {
  const context = '{"actor": {"id": "ada", "type": "user"}}'
  expect(await actorsOf(`CALL told('${context}')`)).toEqual(['3 by ada', '4 by ada'])
})
