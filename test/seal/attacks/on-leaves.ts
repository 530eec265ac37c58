import { type Attack, type ExpectedFinding, each, id, internal } from './victim.ts'

export const checkpoint = (number: number): ExpectedFinding => ({ kind: 'checkpoint', checkpoint: number })
const changed = (n: number): ExpectedFinding => ({ kind: 'changed', entry: { id: id(n) } })
const added = (n: number): ExpectedFinding => ({ kind: 'added', entry: { id: id(n) } })
/** Behind the newest checkpoint. */
export const unsigned = (first: number, last: number): ExpectedFinding => ({
  kind: 'checkpoint',
  leaves: { first, last },
})
export const leaves = (first: number, last: number): ExpectedFinding => ({
  kind: 'leaf',
  leaves: { first, last },
})

/** A byte of a `bytea`, turned round. */
export const flip = (column: string, at: number) =>
  `set_byte(${column}, ${at}, 255 - get_byte(${column}, ${at}))`

const onLeaf = (name: string, at: number, finds: readonly ExpectedFinding[]): Attack => ({
  ...{ name, finds },
  attack: `UPDATE ${internal}.sealed_leaves SET leaves = ${flip('leaves', at)} WHERE first_leaf = 100`,
})

const onLeaves = (name: string, sql: string, finds: readonly ExpectedFinding[]): Attack => ({
  ...{ name, finds },
  attack: sql.replaceAll('LEAVES', `${internal}.sealed_leaves`).replaceAll('SALTS', `${internal}.seal_salts`),
})

/** Lets a row be there twice. */
const withoutKey = (table: string) => `ALTER TABLE ${internal}.${table} DROP CONSTRAINT ${table}_pkey;`

export const attacksOnLeaves: readonly Attack[] = [
  onLeaf('the version of a leaf altered', 0, [checkpoint(2), leaves(0, 255)]),
  onLeaf('the seq in a leaf altered', 8, [checkpoint(2), leaves(0, 255)]),
  onLeaf('the id in a leaf altered', 24, [checkpoint(2), leaves(0, 255)]),
  onLeaf('the commitment in a leaf altered', 56, [checkpoint(2), leaves(0, 255), changed(101)]),
  onLeaves(
    'two leaves exchanged',
    `UPDATE LEAVES SET leaves = substring(leaves, 58, 57) || substring(leaves, 1, 57) || substring(leaves, 115) WHERE first_leaf = 100`,
    [checkpoint(2), leaves(0, 255), changed(101), changed(102)],
  ),
  onLeaves('the first leaves gone', `DELETE FROM LEAVES WHERE first_leaf = 0`, [
    leaves(0, 99),
    ...each(1, 7, checkpoint),
    ...each(1, 100, added),
  ]),
  onLeaves('leaves in the middle gone', `DELETE FROM LEAVES WHERE first_leaf = 300`, [
    leaves(300, 399),
    ...each(4, 7, checkpoint),
    ...each(301, 400, added),
  ]),
  onLeaves(
    'the last leaves gone, with their salts',
    `DELETE FROM LEAVES WHERE first_leaf = 600; DELETE FROM SALTS WHERE first_leaf = 600`,
    [leaves(600, 699), checkpoint(7), ...each(601, 700, added)],
  ),
  onLeaves(
    'leaves cut off',
    `UPDATE LEAVES SET leaves = substring(leaves, 1, 57 * 50) WHERE first_leaf = 600`,
    [leaves(600, 699), leaves(650, 699), checkpoint(7), ...each(651, 700, added)],
  ),
  onLeaves('leaves moved', `UPDATE LEAVES SET first_leaf = 1000 WHERE first_leaf = 600`, [
    leaves(600, 699),
    checkpoint(7),
    unsigned(700, 1099),
    ...each(601, 700, added),
  ]),
  onLeaves('leaves counted otherwise', `UPDATE LEAVES SET entries = 99 WHERE first_leaf = 600`, [
    leaves(600, 698),
  ]),
  onLeaves(
    'leaves that overlap',
    `INSERT INTO LEAVES SELECT log, 150, entries, leaves, era, transaction_id, seq FROM LEAVES WHERE first_leaf = 100`,
    [leaves(150, 249)],
  ),
  onLeaves(
    'leaves with others behind them',
    `UPDATE LEAVES SET leaves = leaves || leaves WHERE first_leaf = 100`,
    [leaves(100, 199)],
  ),
  onLeaves(
    'leaves behind the last checkpoint',
    `INSERT INTO LEAVES SELECT log, 700, entries, leaves, era, transaction_id, seq FROM LEAVES WHERE first_leaf = 100`,
    [unsigned(700, 799)],
  ),
  onLeaves(
    'leaves far behind the last checkpoint',
    `INSERT INTO LEAVES SELECT log, 100000, entries, leaves, era, transaction_id, seq FROM LEAVES WHERE first_leaf = 100`,
    [unsigned(700, 100_099)],
  ),
  onLeaves('a place of leaves put later', `UPDATE LEAVES SET seq = seq + 1 WHERE first_leaf = 300`, [
    leaves(300, 300),
  ]),
  onLeaves(
    'a place of leaves in another transaction',
    `UPDATE LEAVES SET transaction_id = 3 WHERE first_leaf = 300`,
    [leaves(300, 300)],
  ),
  onLeaves('a place of leaves in another era', `UPDATE LEAVES SET era = 2 WHERE first_leaf = 300`, [
    leaves(300, 300),
  ]),
  onLeaves('the leaves of another log', `UPDATE LEAVES SET log = 'other'`, [
    leaves(0, 699),
    ...each(1, 7, checkpoint),
    ...each(1, 700, added),
  ]),
  onLeaves('a salt altered', `UPDATE SALTS SET salts = ${flip('salts', 17)} WHERE first_leaf = 100`, [
    changed(102),
  ]),
  onLeaves(
    'two salts exchanged',
    `UPDATE SALTS SET salts = substring(salts, 17, 16) || substring(salts, 1, 16) || substring(salts, 33) WHERE first_leaf = 100`,
    [changed(101), changed(102)],
  ),
  onLeaves('the salts of a checkpoint gone', `DELETE FROM SALTS WHERE first_leaf = 600`, [
    leaves(600, 699),
    ...each(601, 700, changed),
  ]),
  onLeaves('salts cut off', `UPDATE SALTS SET salts = substring(salts, 1, 16 * 99) WHERE first_leaf = 600`, [
    leaves(600, 699),
    changed(700),
  ]),
  onLeaves(
    'salts without leaves',
    `INSERT INTO SALTS SELECT log, 100000, salts FROM SALTS WHERE first_leaf = 100`,
    [unsigned(700, 700)],
  ),
  onLeaves(
    'leaves stored twice',
    `${withoutKey('sealed_leaves')} INSERT INTO LEAVES SELECT * FROM LEAVES WHERE first_leaf = 300`,
    [leaves(300, 399)],
  ),
  onLeaves(
    'salts stored twice',
    `${withoutKey('seal_salts')} INSERT INTO SALTS SELECT * FROM SALTS WHERE first_leaf = 300`,
    [leaves(300, 399)],
  ),
  onLeaves('salts among those of others', `INSERT INTO SALTS VALUES ('public.audit_logs', 301, '')`, [
    leaves(301, 301),
  ]),
  onLeaves(
    'a step without a leaf among others',
    `INSERT INTO LEAVES SELECT log, 301, 0, '', era, transaction_id, seq + 1 FROM LEAVES WHERE first_leaf = 300;
     INSERT INTO SALTS VALUES ('public.audit_logs', 301, '')`,
    [leaves(301, 301)],
  ),
  onLeaves(
    'a step without a leaf between others',
    `UPDATE LEAVES SET first_leaf = 1000 WHERE first_leaf = 300; UPDATE SALTS SET first_leaf = 1000 WHERE first_leaf = 300;
     INSERT INTO LEAVES SELECT log, 300, 0, '', era, transaction_id, seq FROM LEAVES WHERE first_leaf = 1000;
     INSERT INTO SALTS VALUES ('public.audit_logs', 300, '');
     INSERT INTO LEAVES SELECT log, 301, entries - 1, substring(leaves, 58), era, transaction_id, seq + 1 FROM LEAVES WHERE first_leaf = 1000;
     INSERT INTO SALTS SELECT log, 301, substring(salts, 17) FROM SALTS WHERE first_leaf = 1000;
     DELETE FROM LEAVES WHERE first_leaf = 1000; DELETE FROM SALTS WHERE first_leaf = 1000`,
    [leaves(300, 300), leaves(300, 300), ...each(4, 7, checkpoint), added(301)],
  ),
  onLeaves(
    'leaves of two tiles stored together',
    `UPDATE LEAVES AS l SET entries = l.entries + n.entries, leaves = l.leaves || n.leaves FROM LEAVES AS n WHERE l.first_leaf = 200 AND n.first_leaf = 256;
     UPDATE SALTS AS l SET salts = l.salts || n.salts FROM SALTS AS n WHERE l.first_leaf = 200 AND n.first_leaf = 256;
     DELETE FROM LEAVES WHERE first_leaf = 256; DELETE FROM SALTS WHERE first_leaf = 256`,
    [leaves(200, 299)],
  ),
]

const onNodes = (name: string, sql: string, finds: readonly ExpectedFinding[]): Attack => ({
  ...{ name, finds },
  attack: sql.replaceAll('NODES', `${internal}.seal_nodes`),
})

const tile = (first: number, last: number): ExpectedFinding => ({ kind: 'tile', leaves: { first, last } })

export const attacksOnNodes: readonly Attack[] = [
  onNodes('the root of a tile replaced', `UPDATE NODES SET hash = ${flip('hash', 0)} WHERE index = 1`, [
    tile(256, 511),
  ]),
  onNodes(
    'the roots of two tiles exchanged',
    `UPDATE NODES AS n SET hash = o.hash FROM NODES AS o WHERE o.index = 1 - n.index`,
    [tile(0, 255), tile(256, 511)],
  ),
  onNodes('the root of a tile gone', `DELETE FROM NODES WHERE index = 0`, [tile(0, 255)]),
  onNodes('the root of a tile cut off', `UPDATE NODES SET hash = substring(hash, 1, 31) WHERE index = 0`, [
    tile(0, 255),
  ]),
  onNodes(
    'the root of a tile that is not full yet',
    `INSERT INTO NODES SELECT log, 1, 2, hash FROM NODES WHERE index = 1`,
    [unsigned(700, 700)],
  ),
  onNodes(
    'the root of a higher tile that is not full yet',
    `INSERT INTO NODES SELECT log, 2, 0, hash FROM NODES WHERE index = 1`,
    [unsigned(700, 700)],
  ),
  onNodes(
    'the root of a tile of leaves',
    `INSERT INTO NODES SELECT log, 0, 0, hash FROM NODES WHERE index = 1`,
    [{ kind: 'tile' }],
  ),
  onNodes(
    'the root of a tile beside another cut off',
    `UPDATE NODES SET hash = substring(hash, 1, 31) WHERE index = 1`,
    [tile(256, 511)],
  ),
  onNodes('the root of a tile with a byte more', `UPDATE NODES SET hash = hash || hash WHERE index = 1`, [
    tile(256, 511),
  ]),
  onNodes(
    'the root of a tile stored twice',
    `${withoutKey('seal_nodes')} INSERT INTO NODES SELECT * FROM NODES WHERE index = 1`,
    [tile(256, 511)],
  ),
]
