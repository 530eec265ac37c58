import { appendFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { startShipping, verifyArchive, withAudit } from '../../src/index.ts'
import { files } from '../../src/sinks/files.ts'
import { webhook } from '../../src/sinks/webhook.ts'
import { untilReadable } from '../reader/readers.ts'
import { temporaryDirectory } from '../sinks/places.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { found, shipAll, tamper, verify, writeSome } from './shipped.ts'

const database = await createDatabase()
const prisma = withAudit(createClient(database.url))

/** Six entries in files of two batches of one each. */
async function archive() {
  const directory = await temporaryDirectory()
  const sink = files({ name: unique('files'), directory, maxBytes: 500, limits: { entries: 1 } })
  await shipAll(prisma, sink)
  const names = (await readdir(directory)).sort()
  const [first = '', second = '', third = ''] = names
  const path = (name: string) => join(directory, name)
  const edit = async (name: string, change: (lines: string[]) => string[]) => {
    const lines = (await readFile(path(name), 'utf8')).split('\n').slice(0, -1)
    await writeFile(
      path(name),
      change(lines)
        .map((line) => `${line}\n`)
        .join(''),
    )
  }
  return { directory, sink, first, second, third, path, edit }
}

beforeEach(async () => {
  await tamper(database, 'TRUNCATE audit_logs')
  await writeSome(database, 6)
})

describe('an archive of files', () => {
  it('equals the log, and what is not shipped yet is said', async () => {
    const { sink, directory } = await archive()
    await writeSome(database, 3)
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 6, notShipped: 3, faults: {} })
    expect(report).toMatchObject({ sink: sink.name, place: directory, ok: true, notes: [] })
  })

  it('keeps what was erased from the log since, and says how many entries', async () => {
    const { sink } = await archive()
    const [{ id = '' } = {}] = await database.sql<{ id: string }>(
      'SELECT id FROM audit_logs ORDER BY seq LIMIT 1',
    )
    await prisma.$audit.erase([id], { reason: 'x' })
    await untilReadable(database)
    expect(found(await verify(prisma, sink))).toEqual({ equal: 5, erased: 1, notShipped: 1, faults: {} })
    await tamper(database, `UPDATE audit_logs SET actor_id = 'eve' WHERE id = '${id}'`)
    expect(found(await verify(prisma, sink))).toEqual({ equal: 5, changed: 1, notShipped: 1, faults: {} })
  })

  it('that is empty equals a log that nothing was shipped of', async () => {
    const sink = files({ name: unique('files'), directory: join(await temporaryDirectory(), 'none') })
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ notShipped: 6, faults: {} })
    expect(report.notes).toEqual([
      `The log has no place of a sink "${sink.name}": nothing counts as shipped.`,
    ])
  })

  it('may have a batch whose line is half written', async () => {
    const { sink, path, third } = await archive()
    await appendFile(path(third), '{"id":"0189')
    expect(found(await verify(prisma, sink))).toEqual({ equal: 6, faults: {} })
  })
})

describe('what somebody did to the files is found', () => {
  it('a line that was changed, with its columns', async () => {
    const { sink, edit, second } = await archive()
    await edit(second, ([line = '', ...others]) => [
      line.replace('"actor_id":"ada"', '"actor_id":"eve"').replace('größer', 'kleiner'),
      ...others,
    ])
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 5, changed: 1, faults: {} })
    expect(report.differences.first).toEqual([
      {
        ...{ kind: 'changed', columns: ['actor_id', 'details'], place: `${second}:1` },
        ...{ id: expect.any(String), seq: expect.any(String), timestamp: expect.any(String) },
        action: 'order.update',
      },
    ])
  })

  it('a line whose form was changed alone', async () => {
    const { sink, edit, second } = await archive()
    await edit(second, ([line = '', ...others]) => [line.replace('{"id":', '{ "id":'), ...others])
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 5, changed: 1, faults: {} })
    expect(report.differences.first[0]?.columns).toEqual([])
  })

  it('a line that was removed', async () => {
    const { sink, edit, second } = await archive()
    await edit(second, ([, ...others]) => others)
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 5, missing: 1, faults: {} })
    const [, , third] = await database.sql<{ id: string }>('SELECT id FROM audit_logs ORDER BY seq')
    expect(report.differences.first).toMatchObject([{ kind: 'missing', id: third?.id, place: null }])
  })

  it('lines that were swapped', async () => {
    const { sink, edit, second } = await archive()
    await edit(second, (lines) => lines.toReversed())
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 5, outOfOrder: 1, faults: {} })
    expect(report.differences.first[0]?.place).toBe(`${second}:2`)
  })

  it('a line that is there twice', async () => {
    const { sink, edit, second } = await archive()
    await edit(second, ([line = '', ...others]) => [line, line, ...others])
    expect(found(await verify(prisma, sink))).toEqual({ equal: 6, doubled: 1, faults: {} })
  })

  it('a line that nobody wrote, wherever it says that it belongs', async () => {
    const { sink, edit, first, second } = await archive()
    const forged = (line: string, seq: string) =>
      line.replace(/"id":"[^"]+"/, `"id":"${crypto.randomUUID()}"`).replace(/"seq":"\d+"/, `"seq":"${seq}"`)
    await edit(first, ([line = '', ...others]) => [forged(line, '9000000000'), line, ...others])
    await edit(second, ([line = '', ...others]) => [line, forged(line, '1'), ...others])
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 6, extra: 2, faults: {} })
    expect(report.differences.first.map(({ place }) => place)).toEqual([`${first}:1`, `${second}:2`])
  })

  it('lines that are no entries', async () => {
    const { sink, edit, second, path, first } = await archive()
    await edit(second, ([, ...others]) => ['garbage', '{"id":7}', ...others])
    const bytes = await readFile(path(first))
    bytes.writeUInt8(0xff, bytes.indexOf('größer') + 2)
    await writeFile(path(first), bytes)
    expect(found(await verify(prisma, sink))).toEqual({ equal: 4, missing: 2, unreadable: 3, faults: {} })
  })

  it('a file that was removed, in the middle and at the end', async () => {
    const { sink, path, second, third } = await archive()
    await rm(path(second))
    expect(found(await verify(prisma, sink))).toEqual({ equal: 4, missing: 2, faults: {} })
    await rm(path(third))
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 2, missing: 4, faults: { missing: 1 } })
    expect(report.faults.first).toEqual([
      { kind: 'missing', place: third, message: `${third}, which was written to last, is not there.` },
    ])
  })

  it('a file that was cut, in the middle and at the end', async () => {
    const { sink, path, second, third } = await archive()
    await truncate(path(second), 300)
    expect(found(await verify(prisma, sink))).toEqual({ equal: 4, missing: 2, faults: { changed: 1 } })
    await truncate(path(third), 300)
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 2, missing: 4, faults: { changed: 3 } })
    expect(report.faults.first.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^audit-\S+ has 300 bytes, and \d+ were written to it: it was cut\.$/),
    )
  })

  it('a file that is not the sink’s is said', async () => {
    const { sink, path } = await archive()
    await writeFile(path('notes.txt'), 'hello')
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 6, faults: {} })
    expect(report.notes).toEqual([
      expect.stringMatching(/has 1 more file that is not the sink's: notes\.txt\.$/),
    ])
  })
})

describe('what somebody did to the log is found', () => {
  it('a row that was changed', async () => {
    const { sink, second } = await archive()
    await tamper(
      database,
      `UPDATE audit_logs SET actor_id = 'eve', ip = '10.0.0.1' WHERE seq = (SELECT min(seq) + 2 FROM audit_logs)`,
    )
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 5, changed: 1, faults: {} })
    expect(report.differences.first).toMatchObject([{ columns: ['actor_id', 'ip'], place: `${second}:1` }])
  })

  it.each([
    ['id', 'id = gen_random_uuid()'],
    ['timestamp', `"timestamp" = "timestamp" - interval '1 microsecond'`],
    ['transaction_id', 'transaction_id = 3'],
  ])('a row whose %s was changed', async (column, change) => {
    const { sink } = await archive()
    await tamper(
      database,
      `UPDATE audit_logs SET ${change} WHERE seq = (SELECT min(seq) + 2 FROM audit_logs)`,
    )
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 5, changed: 1, faults: {} })
    expect(report.differences.first).toMatchObject([{ kind: 'changed', columns: [column] }])
  })

  it.each([1_000_000, -1_000])('a row whose seq was moved by %d', async (by) => {
    const { sink } = await archive()
    await tamper(
      database,
      `CREATE TEMPORARY TABLE moved AS SELECT * FROM audit_logs WHERE seq = (SELECT min(seq) + 2 FROM audit_logs);
       DELETE FROM audit_logs WHERE id = (SELECT id FROM moved); UPDATE moved SET seq = seq + ${by};
       INSERT INTO audit_logs OVERRIDING SYSTEM VALUE SELECT * FROM moved; DROP TABLE moved`,
    )
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 5, changed: 1, faults: {} })
    expect(report.differences.first).toMatchObject([{ kind: 'changed', columns: ['seq'] }])
  })

  it('rows that were removed', async () => {
    const { sink } = await archive()
    await tamper(database, 'DELETE FROM audit_logs WHERE seq > (SELECT min(seq) FROM audit_logs)')
    expect(found(await verify(prisma, sink))).toEqual({ equal: 1, extra: 5, faults: {} })
  })

  it('a row that was slipped in between', async () => {
    const { sink } = await archive()
    await tamper(
      database,
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, transaction_id)
       SELECT gen_random_uuid(), 'slipped.in', 'eve', 'user', 'test', transaction_id FROM audit_logs ORDER BY seq LIMIT 1`,
    )
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ equal: 6, missing: 1, faults: {} })
    expect(report.differences.first).toMatchObject([{ kind: 'missing', action: 'slipped.in' }])
  })
})

describe('many differences', () => {
  it('are all counted, and the first of each kind listed', async () => {
    await writeSome(database, 34)
    const { sink } = await archive()
    await tamper(database, `UPDATE audit_logs SET actor_id = 'eve'`)
    const report = await verify(prisma, sink)
    expect(found(report)).toEqual({ changed: 40, faults: {} })
    expect(report.differences.first).toHaveLength(20)
  })
})

describe('while it is shipped and written', () => {
  it('an archive equals the log', async () => {
    const directory = await temporaryDirectory()
    const sink = files({ name: unique('files'), directory, maxBytes: 2_000, limits: { entries: 3 } })
    const shipping = await startShipping(prisma, { sinks: [sink], pollInterval: 10 })
    const writing = writeSome(database, 300)
    for (let n = 0; n < 8; n++) {
      const { differences, faults } = await verify(prisma, sink)
      expect([differences.count, faults.count]).toEqual([0, 0])
    }
    await writing
    await shipping.stop()
    await shipAll(prisma, sink)
    const report = await verify(prisma, sink)
    const [{ count } = { count: 0 }] = await database.sql<{ count: number }>(
      'SELECT count(*)::int FROM audit_logs',
    )
    expect(found(report)).toEqual({ equal: count, faults: {} })
  })
})

describe('verifyArchive', () => {
  it('refuses a sink that can’t be read back', async () => {
    const sink = webhook({ name: 'hook', url: 'http://127.0.0.1:1', secret: 'x'.repeat(16) })
    await expect(verifyArchive(prisma, { sinks: [sink] })).rejects.toMatchObject({
      code: 'AUDIT_INVALID_OPTIONS',
      message: 'No archive was verified, and nothing was read: the sink "hook" can\'t be read back.',
    })
    await expect(verifyArchive(prisma)).rejects.toMatchObject({ code: 'AUDIT_INVALID_OPTIONS' })
    await expect(verifyArchive({})).rejects.toMatchObject({ code: 'AUDIT_INVALID_OPTIONS' })
  })

  it('says what can’t be read, which is no difference', async () => {
    const { directory } = await archive()
    const path = join(directory, 'a-file')
    await writeFile(path, '')
    const sink = files({ name: unique('files'), directory: path })
    await expect(verifyArchive(prisma, { sinks: [sink] })).rejects.toMatchObject({
      code: 'AUDIT_ARCHIVE_UNREADABLE',
    })
  })

  it('ends when it is told to', async () => {
    const { sink } = await archive()
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    await expect(verifyArchive(prisma, { sinks: [sink], signal })).rejects.toBe(reason)
  })
})
