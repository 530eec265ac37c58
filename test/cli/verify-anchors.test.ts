import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../scripts/free-port.ts'
import type { Moto } from '../../scripts/moto.ts'
import type { Anchor } from '../../src/anchor.ts'
import { httpAnchor } from '../../src/anchors/http.ts'
import { s3Anchor } from '../../src/anchors/s3.ts'
import { Anchoring } from '../../src/seal/anchoring.ts'
import { logOf, untilReadable, write } from '../reader/readers.ts'
import { newKey, sealAll, signerOf } from '../seal/seals.ts'
import { createBucket } from '../sinks/archives.ts'
import { startMoto, withoutMoto } from '../sinks/moto.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { runCli } from './project.ts'

const key = newKey()
const signer = await signerOf(key)
const directory = await mkdtemp(join(tmpdir(), 'audit-anchors-'))
afterAll(() => rm(directory, { recursive: true }))
await writeFile(join(directory, 'audit.pub'), `${key.publicKey}\n`)

/** A log with two checkpoints, of one entry and of two, which the anchor has. */
async function publishedTo(anchor: Anchor): Promise<Database> {
  const database = await createDatabase()
  const log = logOf(database)
  const anchoring = new Anchoring(log, signer, anchor)
  for (const action of ['order.create', 'order.update']) {
    await write(database.pool, action)
    await untilReadable(database)
    await sealAll(log, signer)
    await anchoring.step(new AbortController().signal)
  }
  return database
}

function verifyBy(database: Database, env: Record<string, string> = {}) {
  return (...places: string[]) =>
    runCli(['verify', '--key', 'audit.pub', ...places.flatMap((place) => ['--anchor', place])], {
      cwd: directory,
      env: { NODE_NO_WARNINGS: '1', DATABASE_URL: database.url, ...env },
    })
}

const unaltered = {
  ...{ code: 0, stderr: '' },
  stdout: expect.stringMatching(
    /^✔ nothing was altered: 2 entries and 2 checkpoints verified\n.*\nAnchors have checkpoints of the first 2 of them\n$/,
  ),
}

/** An anchor that has no checkpoint: a finding. */
const provesNothing = (anchor: string) => ({
  ...{ code: 1, stderr: '' },
  stdout: expect.stringContaining(
    `✘ The anchor "${anchor}" has no checkpoint of this log: it proves nothing\n✘ 1 thing does not fit: `,
  ),
})

/** An anchor that can't be read: one line, and no findings. */
const unreadable = (anchor: string, reason: string) => ({
  ...{ code: 1, stdout: '' },
  stderr: `The anchor "${anchor}" can't be read, so nothing was verified: ${reason}.\n`,
})

/** What is found where the newest checkpoint is taken away with its entry. */
const cutOff = (anchor: string) => ({
  ...{ code: 1, stderr: '' },
  stdout: expect.stringContaining(
    `✘ The log was cut off, or put back to an earlier state: the anchor "${anchor}" has a checkpoint of 2 entries, and the tree has 1`,
  ),
})

const cut = `ALTER TABLE audit_logs DISABLE TRIGGER ALL;
  ALTER TABLE audit_logs_internal.checkpoints DISABLE TRIGGER ALL;
  ALTER TABLE audit_logs_internal.sealed_leaves DISABLE TRIGGER ALL;
  DELETE FROM audit_logs WHERE action = 'order.update';
  DELETE FROM audit_logs_internal.checkpoints WHERE number = 2;
  DELETE FROM audit_logs_internal.sealed_leaves WHERE first_leaf = 1`

describe('verify --anchor https://…', { timeout: 120_000 }, () => {
  it('compares with the notes that a URL gives, and says what it can’t', async () => {
    const notes: string[] = []
    const server = createServer(async (request, response) => {
      let text = ''
      for await (const part of request.setEncoding('utf8')) text += part
      if (request.url === '/page') return response.end('<!doctype html>\n<p>Not found</p>\n')
      if (request.url === '/none') return response.end()
      if (request.url === '/elsewhere') return response.writeHead(302, { location: '/audit?token=x' }).end()
      if (request.url !== '/audit?token=x') return response.writeHead(404).end()
      if (request.method === 'POST') notes.push(`${text}\n`)
      response.end(request.method === 'GET' ? notes.join('') : undefined)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const url = `http://127.0.0.1:${port}`

    const database = await publishedTo(httpAnchor({ url: `${url}/audit?token=x` }))
    const verify = verifyBy(database)
    expect(await verify(`${url}/audit?token=x`)).toEqual(unaltered)
    expect(await verify(`${url}/none`)).toEqual(provesNothing(`${url}/none`))
    expect(await verify(`${url}/audit?token=x`, `${url}/page`)).toEqual(provesNothing(`${url}/page`))
    // a token is in no message
    expect(await verify(`${url}/audit?token=y`)).toEqual(unreadable(`${url}/audit`, 'it answered 404'))
    const elsewhere = `${url}/elsewhere`
    expect(await verify(elsewhere)).toEqual(
      unreadable(elsewhere, `no answer from ${elsewhere} (unexpected redirect)`),
    )
    const away = await freePort()
    const gone = `http://127.0.0.1:${away}/`
    expect(await verify(gone)).toEqual(
      unreadable(gone, `no answer from ${gone} (connect ECONNREFUSED 127.0.0.1:${away})`),
    )
    const withoutTls = await verify(`https://127.0.0.1:${port}/audit`)
    expect(withoutTls).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^The anchor .* can't be read, .*wrong version number.*\n$/),
    })
    await database.sql(cut)
    expect(await verify(`${url}/audit?token=x`)).toEqual(cutOff(`${url}/audit`))
  })

  it.each(['ftp://example.org/audit', 'https://', 's3://', 'audit'])('refuses %s', async (place) => {
    expect(await runCli(['verify', '--key', 'audit.pub', '--anchor', place], { cwd: directory })).toEqual({
      ...{ code: 2, stdout: '' },
      stderr: `--anchor takes file:PATH, s3://bucket/prefix, https://…, or the name of an anchor in audit.config.ts, and is ${JSON.stringify(place)}.\nSee: npx prisma-extension-audit --help\n`,
    })
  })

  it('refuses a password, and does not print it', async () => {
    const place = 'https://ada:secret@example.org/audit'
    const { code, stderr } = await runCli(['verify', '--key', 'audit.pub', '--anchor', place], {
      cwd: directory,
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^--anchor takes no URL with a password\. .*\nSee: .*\n$/)
    expect(stderr).not.toContain('secret')
  })
})

const inS3 = `verify --anchor s3://…${withoutMoto ? `: skipped, ${withoutMoto}` : ''}`

describe.skipIf(withoutMoto)(inS3, { timeout: 120_000 }, async () => {
  const moto = withoutMoto ? ({} as Moto) : await startMoto()

  it('compares with what a bucket has, and says what it can’t', async () => {
    const { bucket } = await createBucket(moto)
    const { endpoint, region, credentials } = moto.config
    const anchor = s3Anchor({
      ...{ bucket, prefix: 'prod/', client: moto.config, every: 0 },
      retention: { mode: 'COMPLIANCE', days: 1 },
    })
    const database = await publishedTo(anchor)
    const signedIn = {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: region,
    }
    const verify = verifyBy(database, { ...signedIn, AWS_ENDPOINT_URL: endpoint })
    const place = `s3://${bucket}/prod`
    expect(await verify(place)).toEqual(unaltered)
    expect(await verify(`${place}/`)).toEqual(unaltered)
    expect(await verify(`s3://${bucket}`)).toEqual(provesNothing(`s3://${bucket}`))
    const unlisted = (name: string, reason: string) =>
      `The bucket ${name} can't be read: it did not list what is under prod/checkpoints/ (${reason}). Who reads it needs s3:ListBucketVersions, s3:GetObjectVersion and s3:GetObjectRetention`
    expect(await verify('s3://nowhere/prod')).toEqual(
      unreadable(
        's3://nowhere/prod',
        unlisted('nowhere', '404 NoSuchBucket The specified bucket does not exist'),
      ),
    )
    const away = await freePort()
    const fromAway = verifyBy(database, { ...signedIn, AWS_ENDPOINT_URL: `http://127.0.0.1:${away}` })
    expect(await fromAway(place)).toEqual(
      unreadable(place, unlisted(bucket, `connect ECONNREFUSED 127.0.0.1:${away}`)),
    )
    await database.sql(cut)
    expect(await verify(place)).toEqual(cutOff(place))
  })
})
