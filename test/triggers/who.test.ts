import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { createClient } from '../support/database.ts'
import { createWatched, who } from './watched.ts'

const { db, connect, watch, entriesOf } = await createWatched(`
  CREATE TABLE note (id int PRIMARY KEY, body text);
  CREATE TABLE late (id int PRIMARY KEY);
  CREATE FUNCTION note_late() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE note SET body = 'late ' || NEW.id WHERE id = 100;
      RETURN NULL;
    END $$;
  CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION note_late();
  INSERT INTO note VALUES (100, '');
`)
await watch('note', 'note')
await watch('"Tag"', 'tag')
const prisma = withAudit(createClient(db.url), { failures: false })

const psql = await connect({ application_name: 'psql' })
const source = { role: 'postgres', application: 'psql', address: '127.0.0.1' }
const nobody = { actor_id: 'postgres:postgres', actor_type: 'system', source }
const ada = { actor: { id: 'ada', type: 'user' } }

let id = 0
const insert = (client: pg.Client = psql) => client.query('INSERT INTO note VALUES ($1)', [++id])
const setContext = (context: unknown, client: pg.Client = psql) =>
  client.query('SELECT audit_logs_set_context($1)', [context === null ? null : JSON.stringify(context)])
/** What a statement of the audited client carries. */
const carried = (actor: string) =>
  JSON.stringify({ actor_id: actor, actor_type: 'user', details: { operation: 'create' } })
const byClient = (actor: string) => ({ actor_id: actor, actor_type: 'user', operation: 'create' })
const whoOf = async (work: () => Promise<unknown>) => (await entriesOf(work)).map(who)

/** Runs statements in one transaction, and says who made the changes. */
const inTransaction = (work: () => Promise<unknown>, end = 'COMMIT') =>
  whoOf(async () => {
    await psql.query('BEGIN')
    await work()
    await psql.query(end)
  })

describe('without a context', () => {
  it('it was the role of the session, and details.source says what the database knows of it', async () => {
    expect(await whoOf(() => insert())).toEqual([nobody])
  })

  it('it was the role that logged in, whatever SET ROLE says, and no name of an application is null', async () => {
    const other = await connect()
    await db.sql('CREATE ROLE worker; GRANT ALL ON note TO worker')
    await other.query('SET ROLE worker')
    expect(await whoOf(() => insert(other))).toEqual([
      { ...nobody, source: { ...source, application: null } },
    ])
    await other.query('RESET ROLE; DROP OWNED BY worker; DROP ROLE worker')
  })
})

describe('audit_logs_set_context', () => {
  it('says who acts for the rest of the transaction, with every key of a context', async () => {
    const context = {
      actor: { id: 'ada', type: 'user', email: 'ada@x.org' },
      requestId: 'req-1',
      ip: '10.0.0.1',
      userAgent: 'curl/8',
      organizationId: 'org-1',
      reason: 'import',
      metadata: { file: 'a.csv', lines: [1, null], nested: { empty: null } },
    }
    const expected = {
      actor_id: 'ada',
      actor_type: 'user',
      actor_email: 'ada@x.org',
      request_id: 'req-1',
      ip: '10.0.0.1',
      user_agent: 'curl/8',
      organization_id: 'org-1',
      reason: 'import',
      metadata: { file: 'a.csv', lines: [1, null], nested: { empty: null } },
      source,
    }
    const seen = await inTransaction(async () => {
      await setContext(context)
      await insert()
      await insert()
    })
    expect(seen).toEqual([expected, expected])
  })

  it('is over with the transaction', async () => {
    await inTransaction(() => setContext(ada))
    expect(await whoOf(() => insert())).toEqual([nobody])
    await setContext(ada) // a transaction of its own
    expect(await whoOf(() => insert())).toEqual([nobody])
  })

  it('replaces what an earlier call said, and null ends it', async () => {
    const seen = await inTransaction(async () => {
      await setContext({ ...ada, requestId: 'req-1' })
      await setContext({ actor: { id: 'bob', type: 'api_key' } })
      await insert()
      await setContext(null)
      await insert()
    })
    expect(seen).toEqual([{ actor_id: 'bob', actor_type: 'api_key', source }, nobody])
  })

  it('may leave out the actor, and keys may be null', async () => {
    const seen = await inTransaction(async () => {
      await setContext({ actor: null, requestId: 'req-1', ip: null, metadata: null, reason: '' })
      await insert()
      await setContext({})
      await insert()
    })
    expect(seen).toEqual([{ ...nobody, request_id: 'req-1', reason: '' }, nobody])
  })

  it('follows savepoints', async () => {
    const seen = await inTransaction(async () => {
      await setContext(ada)
      await psql.query('SAVEPOINT one')
      await setContext({ actor: { id: 'bob', type: 'user' } })
      await psql.query('SAVEPOINT two')
      await insert()
      await psql.query('ROLLBACK TO two; RELEASE two')
      await insert()
      await psql.query('ROLLBACK TO one')
      await insert()
      await psql.query('SAVEPOINT three')
      await setContext({ actor: { id: 'eve', type: 'user' } })
      await psql.query('RELEASE three')
      await insert()
    })
    expect(seen).toEqual([
      { actor_id: 'ada', actor_type: 'user', source },
      { actor_id: 'eve', actor_type: 'user', source },
    ])
  })

  it.each([
    ['a text', 'it is not an object'],
    [[ada], 'it is not an object'],
    [{ actor: 'ada' }, 'actor is not an object'],
    [{ actor: {} }, 'actor.id is missing'],
    [{ actor: { id: 'ada' } }, 'actor.type is missing'],
    [{ actor: { id: 'ada', type: null } }, 'actor.type is missing'],
    [{ actor: { id: '', type: 'user' } }, 'actor.id is not a text of 1 to 255 characters'],
    [{ actor: { id: 7, type: 'user' } }, 'actor.id is not a text of 1 to 255 characters'],
    [{ actor: { id: 'ada', type: 'robot' } }, 'actor.type is "robot", not user, system or api_key'],
    [{ actor: { ...ada.actor, name: 'Ada' } }, 'it has the unknown key actor.name'],
    [{ actor: { ...ada.actor, email: 'x'.repeat(256) } }, 'actor.email is not a text of 1 to 255 characters'],
    [{ request: 'req-1' }, 'it has the unknown key request'],
    [{ requestId: '' }, 'requestId is not a text of 1 to 255 characters'],
    [{ organizationId: {} }, 'organizationId is not a text of 1 to 255 characters'],
    [{ userAgent: 1 }, 'userAgent is not a text'],
    [{ reason: ['x'] }, 'reason is not a text'],
    [{ ip: 'localhost' }, 'ip is not an IP address'],
    [{ ip: '10.0.0.0/8' }, 'ip is not an IP address'],
    [{ ip: 1 }, 'ip is not a text of 1 to 50 characters'],
    [{ metadata: [1] }, 'metadata is not an object'],
  ])('refuses %j', async (context, problem) => {
    await expect(setContext(context)).rejects.toMatchObject({
      code: 'ZA003',
      message: `the audit context cannot be used: ${problem}`,
      hint: 'Its keys are actor { id, type, email }, requestId, ip, userAgent, organizationId, reason and metadata.',
    })
  })

  it('does not reach into statements of the audited client in the same transaction, which have their own', async () => {
    const seen = await whoOf(() =>
      withAuditContext({ actor: { id: 'bob', type: 'user' } }, () =>
        prisma.$transaction(async (tx) => {
          await tx.$queryRaw`SELECT audit_logs_set_context('{"actor": {"id": "ada", "type": "user"}}')::text`
          await tx.tag.create({ data: { id: 1, name: 'a' } })
        }),
      ),
    )
    expect(seen.at(-1)).toEqual({ actor_id: 'bob', actor_type: 'user', operation: 'create' })
  })
})

describe('the context of a statement is never the next one’s', () => {
  const carrying = (actor: string, sql: string) =>
    psql.query(sql.replace('call()', 'audit_logs_context($1, NULL, NULL)'), [carried(actor)])

  it('after one that changed rows', async () => {
    const seen = await inTransaction(async () => {
      await carrying('ada', `UPDATE note SET body = body || '!' WHERE id = 100 AND (SELECT call())`)
      await insert()
      await carrying('bob', `UPDATE note SET body = body || '!' WHERE id = 100 AND (SELECT call())`)
    })
    expect(seen).toEqual([byClient('ada'), nobody, byClient('bob')])
  })

  it('after one that found no rows, or whose context nobody needed', async () => {
    const seen = await inTransaction(async () => {
      await carrying('ada', `DELETE FROM note WHERE id = -1 AND (SELECT call())`)
      await insert()
      await carrying('ada', `SELECT call()`)
      await insert()
    })
    expect(seen).toEqual([nobody, nobody])
  })

  it('after one that failed, behind a savepoint', async () => {
    const seen = await inTransaction(async () => {
      await psql.query('SAVEPOINT one')
      await expect(
        carrying('ada', `INSERT INTO note VALUES (100) RETURNING (SELECT call())`),
      ).rejects.toThrow()
      await psql.query('ROLLBACK TO one')
      await insert()
    })
    expect(seen).toEqual([nobody])
  })

  it('after the end of its transaction, on the same connection, whichever way it ended', async () => {
    await inTransaction(() => carrying('ada', `SELECT call()`), 'ROLLBACK')
    expect(await whoOf(() => insert())).toEqual([nobody])
    await carrying('ada', `SELECT call()`)
    expect(await whoOf(() => insert())).toEqual([nobody])
    await psql.query('DISCARD ALL')
    await psql.query(`SET application_name = 'psql'`)
    expect(await whoOf(() => insert())).toEqual([nobody])
  })

  it('after one that a prepared statement of the same name ran before', async () => {
    const update = (actor: string) => ({
      name: 'carrying',
      text: `UPDATE note SET body = body || '!' WHERE id = 100 AND (SELECT audit_logs_context($1, NULL, NULL))`,
      values: [carried(actor)],
    })
    const seen = await whoOf(async () => {
      for (const actor of ['ada', 'bob', 'eve', 'ada', 'bob', 'eve', 'ada']) await psql.query(update(actor))
      await psql.query({ name: 'plain', text: `UPDATE note SET body = body || '!' WHERE id = 100` })
    })
    expect(seen).toEqual([...['ada', 'bob', 'eve', 'ada', 'bob', 'eve', 'ada'].map(byClient), nobody])
  })

  it('not for a deferred trigger at COMMIT', async () => {
    const seen = await inTransaction(() =>
      carrying('ada', `INSERT INTO late VALUES (1) RETURNING (SELECT call())`),
    )
    expect(seen).toEqual([nobody])
  })

  it('but for a deferred trigger that fires as the statement’s own transaction ends', async () => {
    expect(
      await whoOf(() => carrying('ada', `INSERT INTO late VALUES (2) RETURNING (SELECT call())`)),
    ).toEqual([byClient('ada')])
  })

  it('nor in another session', async () => {
    const other = await connect({ application_name: 'psql' })
    const seen = await inTransaction(async () => {
      await carrying('ada', `SELECT call()`)
      await insert(other)
    })
    expect(seen).toEqual([nobody])
  })
})

describe('the context of what follows', () => {
  const nextContext = (context: string | null) => psql.query('SELECT audit_logs_next_context($1)', [context])

  it('is for the statements until it is taken back, for those of a function, too', async () => {
    const seen = await inTransaction(async () => {
      await nextContext(carried('ada'))
      await psql.query(
        `DO $$ BEGIN INSERT INTO note VALUES (201); UPDATE note SET body = 'x' WHERE id = 201; END $$`,
      )
      await nextContext(null)
      await insert()
    })
    expect(seen).toEqual([byClient('ada'), byClient('ada'), nobody])
  })

  it('ends with the transaction, and goes back with a savepoint', async () => {
    const seen = await inTransaction(async () => {
      await psql.query('SAVEPOINT one')
      await nextContext(carried('ada'))
      await psql.query('ROLLBACK TO one')
      await insert()
      await nextContext(carried('ada'))
    })
    expect([...seen, ...(await whoOf(() => insert()))]).toEqual([nobody, nobody])
  })

  it('gives way to that of a statement, and comes before that of the transaction', async () => {
    const seen = await inTransaction(async () => {
      await setContext(ada)
      await nextContext(carried('bob'))
      await insert()
      await psql.query(
        `UPDATE note SET body = 'y' WHERE id = 100 AND (SELECT audit_logs_context($1, NULL, NULL))`,
        [carried('eve')],
      )
      await nextContext(null)
      await insert()
    })
    expect(seen).toEqual([byClient('bob'), byClient('eve'), { actor_id: 'ada', actor_type: 'user', source }])
  })
})

describe('several statements in one text', () => {
  it('have the context that audit_logs_set_context gave among them', async () => {
    const seen = await whoOf(() =>
      psql.query(`
        INSERT INTO note VALUES (301);
        SELECT audit_logs_set_context('{"actor": {"id": "ada", "type": "user"}}');
        INSERT INTO note VALUES (302);
        COMMIT;
        INSERT INTO note VALUES (303)`),
    )
    expect(seen).toEqual([nobody, { actor_id: 'ada', actor_type: 'user', source }, nobody])
  })
})

describe('a search_path with other functions and operators first', () => {
  it('changes nothing of who acts, nor of what was noted of the table', async () => {
    const session = await connect({ application_name: 'psql' })
    await session.query(`
      CREATE SCHEMA evil;
      CREATE FUNCTION evil.no(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT false $$;
      CREATE FUNCTION evil.word(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'evil' $$;
      CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.no);
      CREATE OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.no);
      CREATE OPERATOR evil.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.word);
      SET search_path = evil, pg_catalog, public`)
    const [{ key, fingerprint } = { key: '', fingerprint: '' }] = await db.sql<{
      key: string
      fingerprint: string
    }>(
      `SELECT split_part(argument, ' ', 1) AS key, split_part(argument, ' ', 2) AS fingerprint
       FROM audit_logs_internal.watched() WHERE relation = 'note'::regclass`,
    )
    const update = (known: string) =>
      session.query(
        `UPDATE public.note SET body = evil.word(body, id::text) WHERE id = 100 AND (SELECT public.audit_logs_context($1, $2, $3))`,
        [carried('ada'), key, known],
      )
    await db.sql(`UPDATE note SET body = '' WHERE id = 100`)
    expect(await whoOf(() => update(fingerprint))).toEqual([byClient('ada')])
    await expect(update('another')).rejects.toMatchObject({ code: 'ZA002' })
    const seen = await whoOf(async () => {
      await session.query('BEGIN')
      await session.query(`SELECT public.audit_logs_set_context('{"actor": {"id": "ada", "type": "user"}}')`)
      await session.query(`INSERT INTO public.note VALUES (401)`)
      await session.query('COMMIT')
    })
    expect(seen).toEqual([{ actor_id: 'ada', actor_type: 'user', source }])
  })
})
