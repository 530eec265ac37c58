import { expect, it } from 'vitest'
import { isSecret, secretNames } from '../../src/secret-names.ts'
import { createWatched } from './watched.ts'

const { db, watch, recordedOf } = await createWatched('CREATE TABLE item (id int PRIMARY KEY)')

it('secrets have the names that the library knows, and only those', async () => {
  const spelled = [...secretNames].flatMap((name) => [name, name.toUpperCase(), [...name].join('_')])
  const others = ['tokenCount', 'passwordPolicy', 'pins', 'name', 'secret 2', 'has_token', '_', '']
  const names = [...spelled, ...others]
  const rows = await db.sql<{ secret: boolean }>(
    'SELECT audit_logs_internal.is_secret(name) AS secret FROM unnest($1::text[]) WITH ORDINALITY AS n(name, position) ORDER BY position',
    [names],
  )
  expect(rows.map(({ secret }) => secret)).toEqual(names.map((name) => isSecret(name)))
  // nor does the function know any that the library does not
  const [{ source } = { source: '' }] = await db.sql<{ source: string }>(
    `SELECT prosrc AS source FROM pg_proc WHERE proname = 'is_secret'`,
  )
  const listed = [...source.matchAll(/'([a-z]+)'/g)].map(([, name]) => name)
  expect(listed.sort()).toEqual([...secretNames].sort())
})

it('ids are UUIDs of version 7, made now', async () => {
  const before = Date.now()
  const uuids = await db.sql<{ id: string }>(
    `SELECT audit_logs_internal.uuidv7()::text AS id FROM generate_series(1, 200)`,
  )
  await watch('item', 'item')
  await db.sql('INSERT INTO item SELECT generate_series(1, 200)')
  const written = await db.sql<{ id: string }>(`SELECT id::text FROM audit_logs`)
  const all = [...uuids, ...written].map(({ id }) => id)
  expect(new Set(all).size).toBe(401)
  for (const id of all) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const made = Number.parseInt(id.replace('-', '').slice(0, 12), 16)
    expect(Math.abs(made - before)).toBeLessThan(120_000)
  }
})

it('a resource leaves room for every verb', async () => {
  const resource = 'x'.repeat(89)
  await db.sql('CREATE TABLE long (id int PRIMARY KEY); CREATE TABLE long_link ("A" int, "B" int)')
  await watch('long', resource)
  const side = { resource, relation: 'all' }
  await watch('long_link', 'long_link', { link: { A: side, B: side } })
  const entries = await recordedOf(
    'INSERT INTO long VALUES (1); TRUNCATE long; INSERT INTO long_link VALUES (1, 2); DELETE FROM long_link',
  )
  expect(entries.map(({ action }) => action.slice(89))).toEqual([
    ...['.create', '.truncate', '.connect', '.connect', '.disconnect', '.disconnect'],
  ])
})
