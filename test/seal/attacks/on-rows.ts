import { type Attack, checkpointOf, type ExpectedFinding, each, entries, id } from './victim.ts'

const missing = (n: number): ExpectedFinding => ({
  ...{ kind: 'missing', entry: { id: id(n), seq: String(n) }, checkpoint: checkpointOf(n) },
})
const changed = (n: number): ExpectedFinding => ({
  ...{ kind: 'changed', entry: { id: id(n) }, checkpoint: checkpointOf(n) },
})
const added = (n: number): ExpectedFinding => ({ kind: 'added', entry: { id: id(n) } })

const gone = (name: string, condition: string, finds: readonly ExpectedFinding[]): Attack => ({
  ...{ name, attack: `DELETE FROM audit_logs WHERE ${condition}`, finds },
})

/** An entry that was never sealed, where the n-th stands: with its transaction, and a seq of its own. */
const insert = (name: string, n: number, seq: string): Attack => ({
  name,
  attack: `INSERT INTO audit_logs (id, timestamp, action, actor_id, actor_type, resource_type, seq, transaction_id)
    SELECT '${id(999)}', timestamp, 'order.delete', 'eve', 'user', 'order', ${seq}, transaction_id FROM audit_logs WHERE seq = ${n}`,
  finds: [added(999)],
})

/** A row is gone, is new, or stands elsewhere. */
export const attacksOnRows: readonly Attack[] = [
  gone('the first row gone', 'seq = 1', [missing(1)]),
  gone('one in the middle gone', 'seq = 256', [missing(256)]),
  gone('the last row gone', `seq = ${entries}`, [missing(entries)]),
  gone('two neighbours gone', 'seq IN (300, 301)', [missing(300), missing(301)]),
  gone('all rows of one checkpoint gone', 'seq BETWEEN 301 AND 400', each(301, 400, missing)),
  gone('the rows of the last checkpoint gone', 'seq > 600', each(601, 700, missing)),
  gone('the rows of one transaction gone', 'seq BETWEEN 351 AND 400', each(351, 400, missing)),
  gone('every row gone', 'true', each(1, entries, missing)),
  {
    name: 'a row gone, and every later seq closed up',
    attack: 'DELETE FROM audit_logs WHERE seq = 698; UPDATE audit_logs SET seq = seq - 1 WHERE seq > 698',
    finds: [changed(699), changed(700), missing(698)],
  },
  {
    name: 'an emptied log',
    attack: 'TRUNCATE audit_logs',
    finds: each(1, entries, missing),
  },
  insert('a row added before all others', 1, '1'),
  insert('a row added in the middle', 350, '350'),
  insert('a row added before the last one', entries, '699'),
  insert('a row added at the end of a checkpoint', 300, '300'),
  {
    ...insert('a row added with a seq that no reader looks for', 1, '0'),
  },
  insert('a row added with a negative seq', 350, '-5'),
  {
    name: 'a backdated row',
    attack: `INSERT INTO audit_logs (id, timestamp, action, actor_id, actor_type, resource_type, seq, transaction_id)
      VALUES ('${id(999)}', '2020-01-01', 'order.delete', 'eve', 'user', 'order', 701, 1)`,
    finds: [added(999)],
  },
  {
    name: 'a row added without a transaction',
    attack: `ALTER TABLE audit_logs ALTER transaction_id DROP NOT NULL;
      INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, seq, transaction_id)
      VALUES ('${id(999)}', 'order.delete', 'eve', 'user', 'order', 701, NULL)`,
    finds: [added(999)],
  },
  {
    name: 'a row added without a seq',
    attack: `ALTER TABLE audit_logs ALTER seq DROP NOT NULL;
      INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, seq)
      VALUES ('${id(999)}', 'order.delete', 'eve', 'user', 'order', NULL)`,
    finds: [added(999)],
  },
  {
    name: 'a row added with a transaction that can never end',
    attack: `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, seq, transaction_id)
      VALUES ('${id(999)}', 'order.delete', 'eve', 'user', 'order', 701, -1)`,
    finds: [added(999)],
  },
  {
    name: 'a copy of a row under another id',
    attack: `INSERT INTO audit_logs SELECT (jsonb_populate_record(l, jsonb_build_object('id', '${id(999)}'))).* FROM audit_logs AS l WHERE seq = 350`,
    finds: [added(999)],
  },
  {
    name: 'a second row of the same id',
    attack: `ALTER TABLE audit_logs DROP CONSTRAINT audit_logs_pkey;
      INSERT INTO audit_logs SELECT (jsonb_populate_record(l, '{"actor_id": "eve"}')).* FROM audit_logs AS l WHERE seq = 350`,
    finds: [added(350)],
  },
  {
    name: 'a row in a table that inherits from the log',
    attack: `CREATE TABLE more () INHERITS (audit_logs); INSERT INTO more SELECT (jsonb_populate_record(l, jsonb_build_object('id', '${id(999)}'))).* FROM ONLY audit_logs AS l WHERE seq = 350`,
    finds: [added(999)],
  },
  {
    name: 'a row put in the place of another',
    attack: `UPDATE audit_logs SET id = '${id(999)}', actor_id = 'eve' WHERE seq = 350`,
    finds: [missing(350), added(999)],
  },
  {
    name: 'two rows swapped by seq',
    attack: 'UPDATE audit_logs SET seq = 21 - seq WHERE seq IN (1, 20)',
    finds: [changed(20), changed(1)],
  },
  {
    name: 'two rows swapped by seq and transaction',
    attack: `UPDATE audit_logs AS l SET seq = o.seq, transaction_id = o.transaction_id FROM audit_logs AS o
      WHERE (l.seq = 100 AND o.seq = 500) OR (l.seq = 500 AND o.seq = 100)`,
    finds: [changed(500), changed(100)],
  },
  {
    name: 'two rows that exchanged their ids',
    attack: `ALTER TABLE audit_logs DROP CONSTRAINT audit_logs_pkey;
      UPDATE audit_logs SET id = CASE seq WHEN 100 THEN '${id(500)}'::uuid ELSE '${id(100)}' END WHERE seq IN (100, 500)`,
    finds: [changed(500), changed(100)],
  },
  {
    name: 'a row moved behind all others',
    attack: 'UPDATE audit_logs SET seq = 701, transaction_id = transaction_id + 1000 WHERE seq = 20',
    finds: [changed(20)],
  },
  {
    name: 'a row moved to an earlier transaction',
    attack: 'UPDATE audit_logs SET transaction_id = 3 WHERE seq = 520',
    finds: [changed(520)],
  },
  {
    name: 'the order of all rows turned round',
    attack: 'UPDATE audit_logs SET seq = 701 - seq',
    finds: each(1, entries, () => ({ kind: 'changed' })),
  },
  {
    name: 'the log replaced by a copy with one value changed',
    attack: `CREATE TABLE copy (LIKE audit_logs INCLUDING ALL); INSERT INTO copy SELECT * FROM audit_logs;
      ALTER TABLE audit_logs RENAME TO original; ALTER TABLE copy RENAME TO audit_logs;
      UPDATE audit_logs SET actor_id = 'eve' WHERE seq = 350`,
    finds: [changed(350)],
  },
  {
    name: 'rows hidden behind a view',
    attack: `ALTER TABLE audit_logs RENAME TO original; CREATE VIEW audit_logs AS SELECT * FROM original WHERE seq <> 350`,
    finds: [missing(350)],
  },
]
