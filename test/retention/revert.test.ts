import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createPartitioned } from '../partitions/partitioned.ts'
import { untilReadable } from '../reader/readers.ts'
import { createClient } from '../support/database.ts'
import { refusal } from '../support/errors.ts'
import { archiveOfFile, maintainBy } from './retained.ts'

describe('reverting what only the archive has', { timeout: 120_000 }, async () => {
  const db = await createPartitioned()
  await db.sql(`SELECT audit_logs_internal.create_partitions('audit_logs', 1, now() - interval '5 months')`)
  const { archive } = await archiveOfFile()
  const retention = { default: '1 month', archive }
  const prisma = withAudit(createClient(db.url), { retention })
  const redacting = withAudit(createClient(db.url), { retention, redact: { Tag: ['name'] } })
  const { $audit } = prisma

  /** Makes a tag, and has its entries stand months ago. */
  const standingAt = (time: string) =>
    db.sql(`ALTER TABLE audit_logs ALTER COLUMN "timestamp" SET DEFAULT ${time}`)
  await standingAt(`clock_timestamp() - interval '4 months'`)
  const [updated, deleted, changed, erased, linked, kept, renamed] = await Promise.all(
    ['updated', 'deleted', 'changed', 'erased', 'linked', 'kept', 'renamed'].map((name) =>
      (['kept', 'renamed'].includes(name) ? redacting : prisma).tag.create({ data: { name } }),
    ),
  ).then((tags) => tags.map(({ id }) => id) as [number, number, number, number, number, number, number])
  const rename = (id: number, client = prisma) =>
    client.tag.update({ where: { id }, data: { name: `${id} has another name` } })
  for (const id of [updated, changed, erased]) await rename(id)
  await rename(renamed, redacting as never)
  await prisma.tag.delete({ where: { id: deleted } })
  await standingAt('clock_timestamp()')
  await untilReadable(db)
  await maintainBy(db, retention)
  await prisma.tag.update({ where: { id: changed }, data: { name: 'changed since' } })
  await $audit.erase({ model: 'Tag', id: erased }, { reason: 'request 17' })

  const entryOf = async (id: number, verb: string) => {
    const { entries } = await $audit.history('Tag', id)
    const found = entries.findLast(({ action }) => action === `tag.${verb}`)
    expect(found?.archivedIn).toMatch(/^file:/)
    return found?.id ?? ''
  }
  const tag = (id: number) => prisma.tag.findUnique({ where: { id }, select: { name: true } })

  it('puts back what an update changed', async () => {
    const entry = await entryOf(updated, 'update')
    expect(await $audit.revert(entry)).toMatchObject([
      { action: 'tag.update', details: { revertOf: entry }, after: { name: 'updated' } },
    ])
    expect(await tag(updated)).toEqual({ name: 'updated' })
  })

  it('creates a deleted record again, and deletes a created one', async () => {
    await $audit.revert(await entryOf(deleted, 'delete'))
    expect(await tag(deleted)).toEqual({ name: 'deleted' })
    await $audit.revert(await entryOf(linked, 'create'))
    expect(await tag(linked)).toBeNull()
  })

  it('refuses where the record has changed since', async () => {
    const entry = await entryOf(changed, 'update')
    expect((await refusal(() => $audit.revert(entry))).code).toBe('AUDIT_REVERT_CONFLICT')
    await $audit.revert(entry, { force: true })
    expect(await tag(changed)).toEqual({ name: 'changed' })
  })

  it('knows from the archive whether a redacted field has changed since', async () => {
    const conflict = await refusal(async () => redacting.$audit.revert(await entryOf(renamed, 'create')))
    expect(conflict.code).toBe('AUDIT_REVERT_CONFLICT')
    await redacting.$audit.revert(await entryOf(kept, 'create'))
    expect(await tag(kept)).toBeNull()
  })

  it('refuses what was erased since it was archived', async () => {
    // one of the table tells of the subject
    await prisma.tag.update({ where: { id: erased }, data: { name: 'online' } })
    await $audit.erase({ model: 'Tag', id: erased }, { reason: 'request 18' })
    const error = await refusal(async () => $audit.revert(await entryOf(erased, 'update')))
    expect([error.code, error.message]).toEqual([
      'AUDIT_REVERT_REFUSED',
      expect.stringContaining('values of it were erased from the log, for good'),
    ])
  })

  it('refuses an entry that neither has', async () => {
    const error = await refusal(() => $audit.revert('01890000-0000-7000-8000-000000000001'))
    expect(error.message).toContain('the log has no such entry')
  })

  it('without the archive, refuses them all', async () => {
    const entry = await entryOf(updated, 'update')
    const { code } = await refusal(() => withAudit(createClient(db.url)).$audit.revert(entry))
    expect(code).toBe('AUDIT_REVERT_REFUSED')
  })
})
