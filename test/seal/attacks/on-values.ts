import type { LogColumn } from '../../../src/log/columns.ts'
import { type Attack, checkpointOf, type ExpectedFinding, entries, id } from './victim.ts'

/** The last byte of a text, plus one. */
const oneByte = (column: LogColumn) => `left(${column}, -1) || chr(ascii(right(${column}, 1)) + 1)`

/** The smallest change of each column. */
const smallestChange: Readonly<Record<LogColumn, string>> = {
  id: `(left(id::text, 35) || 'a')::uuid`,
  timestamp: `timestamp + interval '1 microsecond'`,
  action: oneByte('action'),
  actor_id: oneByte('actor_id'),
  actor_type: oneByte('actor_type'),
  actor_email: oneByte('actor_email'),
  resource_type: oneByte('resource_type'),
  resource_id: oneByte('resource_id'),
  outcome: oneByte('outcome'),
  reason: oneByte('reason'),
  details: `jsonb_set(details, '{n}', (details ->> 'n' || '.0')::jsonb)`,
  request_id: oneByte('request_id'),
  ip: `ip + 1`,
  user_agent: oneByte('user_agent'),
  organization_id: oneByte('organization_id'),
  seq: 'seq + 1',
  transaction_id: 'transaction_id + 1',
}

const rows = { first: 1, middle: 350, last: entries }

function findsOf(column: LogColumn, n: number): ExpectedFinding[] {
  if (column !== 'id') return [{ kind: 'changed', entry: { id: id(n) }, checkpoint: checkpointOf(n) }]
  return [
    { kind: 'missing', entry: { id: id(n), seq: String(n) }, checkpoint: checkpointOf(n) },
    { kind: 'added', entry: { id: `${id(n).slice(0, -1)}a`, seq: String(n) } },
  ]
}

const smallest = Object.entries(smallestChange).flatMap(([column, change]) =>
  Object.entries(rows).map(
    ([place, n]): Attack => ({
      name: `the smallest change of ${column} in the ${place} row`,
      attack: `UPDATE audit_logs SET ${column} = ${change} WHERE id = '${id(n)}'`,
      finds: findsOf(column as LogColumn, n),
    }),
  ),
)

const changed = (n: number): ExpectedFinding => ({
  ...{ kind: 'changed', entry: { id: id(n) }, checkpoint: checkpointOf(n) },
})

const update = (name: string, set: string, n = 350): Attack => ({
  name,
  attack: `UPDATE audit_logs SET ${set} WHERE id = '${id(n)}'`,
  finds: [changed(n)],
})

/** One value of a row is another. */
export const attacksOnValues: readonly Attack[] = [
  ...smallest,
  ...(['actor_email', 'resource_id', 'reason', 'details', 'request_id', 'ip', 'user_agent'] as const).map(
    (column) => update(`${column} taken away`, `${column} = NULL`),
  ),
  update('an empty text in place of a value', `reason = ''`),
  update('details that are JSON null instead', `details = 'null'`),
  update('a space behind a value', `actor_id = actor_id || ' '`),
  update('another case of a letter', `actor_id = 'Ada'`),
  update('a letter that looks the same', `actor_id = 'аda'`),
  update('a character that separates columns when rows are read', `actor_id = E'ada\\x1f'`),
  update('a character that separates rows when they are read', `actor_id = E'ada\\x1d'`),
  update('two values exchanged', `actor_id = request_id, request_id = actor_id`),
  update('a network in place of an address', `ip = '192.0.2.1/24'`),
  update('a time that is infinite', `timestamp = 'infinity'`),
  update('a failure made of a success', `outcome = 'failure'`),
  {
    name: 'the actor of every row changed',
    attack: `UPDATE audit_logs SET actor_id = 'bob'`,
    finds: Array.from({ length: entries }, (_, at) => changed(at + 1)),
  },
  {
    name: 'a value that is null where it can not be, and a column that was cut for it',
    attack: `ALTER TABLE audit_logs ALTER actor_id DROP NOT NULL; UPDATE audit_logs SET actor_id = NULL WHERE id = '${id(350)}'`,
    finds: [changed(350)],
  },
]
