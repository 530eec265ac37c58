import { generateKeyPairSync, hash, sign } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import type { Anchor } from '../../src/anchor.ts'
import { fileAnchor } from '../../src/anchors/file.ts'
import { httpAnchor } from '../../src/anchors/http.ts'
import { witness } from '../../src/anchors/witness.ts'
import { anchorAt } from '../../src/cli/anchors.ts'
import type { ReaderLog } from '../../src/reader/reader-log.ts'
import { Anchoring } from '../../src/seal/anchoring.ts'
import { type Checkpoint, parseCheckpoint } from '../../src/seal/checkpoint.ts'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { parseNote } from '../../src/seal/note.ts'
import { sealOn } from '../../src/seal/sealing.ts'
import type { Signer } from '../../src/seal/signer.ts'
import { isConsistent } from '../../src/seal/tree-proofs.ts'
import type { ReadableAnchor } from '../../src/seal/verify/anchored.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { logOf, until, untilReadable } from '../reader/readers.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { newKey, origin, sealAll, signerOf } from './seals.ts'

const never = new AbortController().signal

async function add(database: Database, log: ReaderLog, signer: Signer, count: number): Promise<void> {
  await database.sql(
    `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
     SELECT gen_random_uuid(), 'x', 'ada', 'user', 'x' FROM generate_series(1, $1::int)`,
    [count],
  )
  await untilReadable(database)
  await sealAll(log, signer)
}

async function newLog() {
  const database = await createDatabase()
  const key = newKey()
  const signer = await signerOf(key)
  const log = logOf(database)
  return {
    database,
    log,
    signer,
    keys: [parseVerifierKey(key.publicKey)],
    add: (count: number) => add(database, log, signer, count),
  }
}

async function notesOf(anchor: Anchor): Promise<string[]> {
  const notes = []
  for await (const note of anchor.read?.(never) ?? []) notes.push(note)
  return notes
}

const sizesOf = async (anchor: Anchor) =>
  (await notesOf(anchor)).map((note) => parseCheckpoint(parseNote(note)?.text ?? '')?.size)

/** A server of the calling test's own. */
async function serve(
  answer: (request: IncomingMessage, body: string) => { status: number; body?: string; type?: string },
) {
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request.setEncoding('utf8')) text += part
    const { status, body = '', type = 'text/plain' } = answer(request, text)
    response.writeHead(status, { 'content-type': type }).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function newFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'anchor-'))
  afterAll(() => rm(directory, { recursive: true }))
  return join(directory, 'deep', 'checkpoints')
}

describe('an anchor', () => {
  it('gets each checkpoint once, and the newest one after it was away', async () => {
    const { log, signer, add, keys } = await newLog()
    const published: number[] = []
    let isAway = true
    const anchor: Anchor = {
      name: 'a',
      publish: async (_, { size }) => {
        if (isAway) throw new Error('away.')
        published.push(size)
      },
    }
    const anchoring = new Anchoring(log, signer, anchor)
    expect(await anchoring.step(never)).toBeUndefined()
    await add(10)
    await expect(anchoring.step(never)).rejects.toMatchObject({
      code: 'AUDIT_ANCHOR_FAILED',
      message: expect.stringContaining(
        'Checkpoint 1 of the audit log "audit_logs" is not published at the anchor "a": away.',
      ),
    })
    await add(10)
    isAway = false
    expect(await anchoring.step(never)).toBe(2)
    expect(await anchoring.step(never)).toBeUndefined()
    expect(await new Anchoring(log, signer, anchor).step(never)).toBeUndefined()
    expect(published).toEqual([20])
    expect(await verifyLog(log, { keys, origin })).toMatchObject({ ok: true })
  })

  it('gets nothing that the key of the log did not sign, and says when what it has is gone', async () => {
    const { database, log, signer, add } = await newLog()
    const published: number[] = []
    const anchor: Anchor = { name: 'a', publish: async (_, { size }) => void published.push(size) }
    const anchoring = new Anchoring(log, signer, anchor)
    await add(10)
    await anchoring.step(never)
    await add(10)
    await database.sql(`ALTER TABLE audit_logs_internal.checkpoints DISABLE TRIGGER ALL;
      UPDATE audit_logs_internal.checkpoints SET size = 19 WHERE number = 2`)
    await expect(anchoring.step(never)).rejects.toMatchObject({ code: 'AUDIT_SEALS_BROKEN' })
    await database.sql(
      'DELETE FROM audit_logs_internal.checkpoints; DELETE FROM audit_logs_internal.consumers',
    )
    await expect(anchoring.step(never)).rejects.toMatchObject({
      ...{
        code: 'AUDIT_SEALS_BROKEN',
        message: expect.stringContaining('checkpoint 1, which was published there'),
      },
    })
    expect(published).toEqual([10])
  })

  it('that is slow holds up neither sealing nor another, and the last checkpoint is published at the end', async () => {
    const { database, log, signer } = await newLog()
    const path = await newFile()
    const errors: unknown[] = []
    const slow: Anchor = {
      name: 'slow',
      publish: (_, __, signal) => sleep(600_000, undefined, { signal }),
    }
    const rare = { ...fileAnchor({ path: `${path}-rare` }), name: 'rare', every: 100_000 }
    const sealing = sealOn(log, signer, {
      ...{ every: 10, anchors: [fileAnchor({ path }), rare, slow], onError: (error) => errors.push(error) },
    })
    const write = (count: number) =>
      database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
        SELECT gen_random_uuid(), 'x', 'ada', 'user', 'x' FROM generate_series(1, ${count})`)
    await write(5)
    await until(
      () => sealing.metrics().anchors.file === 1 && sealing.metrics().anchors.rare === 1,
      'it should be published',
    )
    await write(5)
    await until(() => sealing.metrics().checkpoint?.size === 10, 'it should be sealed')
    await sealing.stop()
    expect(sealing.metrics()).toMatchObject({ anchors: { file: 2, rare: 2, slow: null } })
    expect([await sizesOf(fileAnchor({ path })), await sizesOf(rare)]).toEqual([
      [5, 10],
      [5, 10],
    ])
    expect(errors).toMatchObject([{ code: 'AUDIT_ANCHOR_FAILED' }])
  }, 60_000)
})

describe('a file', () => {
  it('has each note, also behind one that was cut off', async () => {
    const { log, signer, add, keys } = await newLog()
    const path = await newFile()
    const anchor = fileAnchor({ path })
    const anchoring = new Anchoring(log, signer, anchor)
    await add(3)
    await anchoring.step(never)
    const whole = await readFile(path, 'utf8')
    for (const end of [whole.slice(0, 10), whole.slice(0, -5), `${whole.split('\n\n')[0]}\n\n`, '\n']) {
      await appendFile(path, end)
      await add(1)
      await anchoring.step(never)
    }
    expect(await sizesOf(anchor)).toEqual(expect.arrayContaining([3, 4, 5, 6, 7]))
    expect(
      await verifyLog(log, { keys, origin, anchors: [await anchorAt(`file:${path}`, [])] }),
    ).toMatchObject({
      ...{ ok: true, anchored: 7 },
    })
  })
})

describe('a URL', () => {
  it('gets a POST for each, and gives them back', async () => {
    const { log, signer, add } = await newLog()
    const bodies: string[] = []
    const url = await serve((request, body) => {
      if (request.headers.authorization !== 'Bearer x') return { status: 401 }
      if (request.method === 'GET') return { status: 200, body: bodies.map((note) => `${note}\n`).join('') }
      bodies.push(body)
      return { status: 204 }
    })
    const anchor = httpAnchor({ url, headers: { authorization: 'Bearer x' } })
    const anchoring = new Anchoring(log, signer, anchor)
    for (const count of [1, 2]) {
      await add(count)
      await anchoring.step(never)
    }
    expect(await sizesOf(anchor)).toEqual([1, 3])
    await add(1)
    await expect(new Anchoring(log, signer, httpAnchor({ url })).step(never)).rejects.toMatchObject({
      ...{ code: 'AUDIT_ANCHOR_FAILED', message: expect.stringContaining('it answered 401') },
    })
  })

  it('is not waited for when it never answers', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1')
    await once(server, 'listening')
    afterAll(() => {
      server.closeAllConnections()
      server.close()
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const { log, signer, add, keys } = await newLog()
    await add(1)
    const anchor = httpAnchor({ url, timeout: 50 })
    await expect(new Anchoring(log, signer, anchor).step(never)).rejects.toMatchObject({
      ...{ code: 'AUDIT_ANCHOR_FAILED', message: expect.stringContaining(`no answer from ${url}`) },
    })
    const anchors = [anchor as ReadableAnchor]
    await expect(verifyLog(log, { keys, origin, anchors })).rejects.toMatchObject({
      ...{ code: 'AUDIT_ANCHOR_FAILED', message: expect.stringContaining(`no answer from ${url}`) },
    })
  })
})

describe('a witness', () => {
  /** C2SP tlog-witness, as far as it has one log. */
  async function newWitness(name = 'witness.example.org') {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
    const id = hash('sha256', Buffer.concat([Buffer.from(`${name}\n\u0004`), raw]), 'buffer').subarray(0, 4)
    const none: Pick<Checkpoint, 'size' | 'root'> = { size: 0, root: Buffer.alloc(0) }
    let seen = none
    const requests: string[] = []
    const url = await serve((request, body) => {
      requests.push(`${request.method} ${request.url} ${body.split('\n')[0]}`)
      const at = body.indexOf('\n\n')
      const [old = '', ...proof] = body.slice(0, at).split('\n')
      const text = parseNote(body.slice(at + 2))?.text ?? ''
      const checkpoint = parseCheckpoint(text)
      if (!checkpoint) return { status: 400 }
      if (old !== `old ${seen.size}`) return { status: 409, type: 'text/x.tlog.size', body: `${seen.size}\n` }
      const hashes = proof.map((line) => Buffer.from(line, 'base64'))
      if (!isConsistent(seen, checkpoint, hashes)) return { status: 422 }
      seen = checkpoint
      const time = 1_700_000_000
      const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), privateKey)
      const bytes = Buffer.alloc(8)
      bytes.writeBigUInt64BE(BigInt(time))
      const line = `— ${name} ${Buffer.concat([id, bytes, signature]).toString('base64')}\n`
      return { status: 200, body: line }
    })
    const verifierKey = `${name}+${id.toString('hex')}+${Buffer.concat([Buffer.from([4]), raw]).toString('base64')}`
    return {
      url,
      requests,
      verifierKey,
      forget: () => {
        seen = none
      },
    }
  }

  it('cosigns what is consistent with what it knows; its signature is kept', async () => {
    const { database, log, signer, add, keys } = await newLog()
    const { url, requests, verifierKey } = await newWitness()
    const anchor = witness({ url: `${url}log`, publicKey: verifierKey })
    for (const count of [300, 1, 400]) {
      await add(count)
      await new Anchoring(log, signer, anchor).step(never)
    }
    expect(requests).toEqual([0, 300, 301].map((size) => `POST /log/add-checkpoint old ${size}`))
    const [row] = await database.sql<{ state: { size: number; note: string; time: number } }>(
      `SELECT state FROM audit_logs_internal.consumers WHERE name = 'anchor:witness.example.org'`,
    )
    expect(row?.state).toMatchObject({ size: 701, time: 1_700_000_000 })
    expect(parseNote(row?.state.note ?? '')?.signatures.map(({ name }) => name)).toEqual([
      origin,
      'witness.example.org',
    ])
    expect(await verifyLog(log, { keys, origin })).toMatchObject({ ok: true })
  })

  it('goes on from what it knows, and refuses a log that was put back or rewritten', async () => {
    const { database, log, signer, add } = await newLog()
    const { url, verifierKey, forget } = await newWitness()
    const anchor = witness({ url, publicKey: verifierKey })
    await add(300)
    await new Anchoring(log, signer, anchor).step(never)
    await database.sql('DELETE FROM audit_logs_internal.consumers WHERE name LIKE $1', ['anchor:%'])
    await add(1)
    await new Anchoring(log, signer, anchor).step(never)
    const broken = { code: 'AUDIT_SEALS_BROKEN', message: expect.stringContaining('does not cosign') }
    const other = await newLog()
    await other.add(200)
    await expect(new Anchoring(other.log, other.signer, anchor).step(never)).rejects.toMatchObject(broken)
    await other.add(200)
    await expect(new Anchoring(other.log, other.signer, anchor).step(never)).rejects.toMatchObject(broken)
    forget()
    await new Anchoring(other.log, other.signer, anchor).step(never)
    const impostor = witness({ url, publicKey: (await newWitness()).verifierKey })
    await add(1)
    forget()
    await expect(
      new Anchoring(log, signer, { ...impostor, name: 'impostor' }).step(never),
    ).rejects.toMatchObject({
      message: expect.stringContaining('no signature of its key'),
    })
  })
})
