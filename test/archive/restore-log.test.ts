import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import pg from 'pg'
import { expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { files } from '../../src/sinks/files.ts'
import { s3 } from '../../src/sinks/s3.ts'
import { createBucket } from '../sinks/archives.ts'
import { startMoto, withoutMoto } from '../sinks/moto.ts'
import { temporaryDirectory } from '../sinks/places.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { shipAll, writeSome } from './shipped.ts'

const database = await createDatabase()
const prisma = withAudit(createClient(database.url))
const moto = withoutMoto ? undefined : await startMoto()

const section =
  (await readFile('docs/shipping.md', 'utf8')).split('## Restore from the archive')[1]?.split('\n## ')[0] ??
  ''
const [[, download = ''] = []] = section.matchAll(/```sh\n([\s\S]*?)```/g)
const [[, intoTable = ''] = [], [, intoLog = ''] = []] = section.matchAll(/```sql\n([\s\S]*?)```/g)

/** Values that come out different where a line is taken apart by anything but JSON. */
async function writeStrange(): Promise<void> {
  await writeSome(database, 3)
  await database.sql(
    `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, reason, details, ip, user_agent)
     VALUES (gen_random_uuid(), 'strange.entry', $1, 'user', 'test', $2, $3, '2001:db8::1', $4)`,
    [
      "o'brien \\ \u0007",
      'two\nlines,"details":{"\u2028 and 😀\t\\N \\.',
      '{"n": 12345678901234567890.10, "text": "a\\nb\\u0001 \\" \\\\ }"}',
      '\\.',
    ],
  )
}

/** Runs the statements of the document; `\copy` is done as psql does it, with `COPY`. */
async function runDocumented(ndjson: string): Promise<void> {
  const client = await database.pool.connect()
  try {
    const [before = '', after = ''] = intoTable.split(/^\\copy .*$/m)
    const [, options = ''] = /^\\copy lines FROM audit\.ndjson (.*)$/m.exec(intoTable) ?? []
    await client.query(before)
    await copyIn(client, `COPY lines FROM STDIN ${options}`, ndjson)
    await client.query(after)
    await client.query('DROP TABLE lines')
  } finally {
    client.release()
  }
}

function copyIn(client: pg.PoolClient, sql: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const query = new pg.Query(sql)
    query.on('end', () => resolve())
    query.on('error', reject)
    client.query(
      Object.assign(query, {
        handleCopyInResponse: (connection: {
          sendCopyFromChunk(data: Buffer): void
          endCopyFrom(): void
        }) => {
          connection.sendCopyFromChunk(Buffer.from(text))
          connection.endCopyFrom()
        },
      }),
    )
  })
}

const rows = (table: string) => database.sql(`SELECT t::text FROM ${table} AS t ORDER BY seq`)

it('files are restored to the rows that they were made of, and to a new log', async () => {
  await writeStrange()
  const directory = await temporaryDirectory()
  await shipAll(prisma, files({ directory }))
  const ndjson = execFileSync('sh', ['-c', `cat ${directory}/*.ndjson`], { encoding: 'utf8' })
  await runDocumented(ndjson + ndjson) // doubles are left out
  const logged = await rows('audit_logs')
  expect(logged).toHaveLength(4)
  expect(await rows('restored')).toEqual(logged)

  await database.sql('ALTER TABLE audit_logs DISABLE TRIGGER USER; TRUNCATE audit_logs RESTART IDENTITY')
  await database.sql('ALTER TABLE audit_logs ENABLE TRIGGER USER')
  await database.sql(intoLog)
  expect(await rows('audit_logs')).toEqual(logged)
  await writeSome(database, 1)
  expect(await rows('audit_logs')).toHaveLength(5)
  await database.sql('DROP TABLE restored')
})

it.skipIf(!moto)('objects of S3 are unzipped, and restored the same', { timeout: 60_000 }, async () => {
  if (!moto) return
  await writeStrange()
  const { client, bucket, versions } = await createBucket(moto)
  const retention = { mode: 'COMPLIANCE', days: 1 } as const
  await shipAll(prisma, s3({ bucket, retention, client: moto.config, limits: { entries: 3, age: 0 } }))
  const directory = await temporaryDirectory()
  for (const { Key = '' } of await versions('entries/')) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
    await mkdir(join(directory, Key, '..'), { recursive: true })
    await writeFile(join(directory, Key), (await Body?.transformToByteArray()) ?? '')
  }
  const unzip = download.split('\n').find((line) => line.startsWith('find ')) ?? ''
  execFileSync('sh', ['-c', unzip], { cwd: directory })
  await runDocumented(await readFile(join(directory, 'audit.ndjson'), 'utf8'))
  expect(await rows('restored')).toEqual(await rows('audit_logs'))
})
