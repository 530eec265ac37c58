import { describe, expect, it } from 'vitest'
import { formatCheckpoint, parseCheckpoint } from '../../src/seal/checkpoint.ts'
import {
  formatVerifierKey,
  generateKeys,
  isSignedBy,
  parseSigningKey,
  parseVerifierKey,
  signatureBy,
} from '../../src/seal/keys.ts'
import { formatNote, parseNote } from '../../src/seal/note.ts'

// the example of golang.org/x/mod/sumdb/note
const goKey = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz'
const goVerifier = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const goText =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const goNote = `${goText}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`

describe('a key', () => {
  it('of Go is read and written', () => {
    const { verifier } = parseSigningKey(goKey)
    expect(formatVerifierKey(verifier)).toBe(goVerifier)
    expect(formatVerifierKey(parseVerifierKey(goVerifier))).toBe(goVerifier)
  })

  it('is made in two halves that belong to each other', () => {
    const { privateKey, publicKey } = generateKeys('example.com/audit')
    expect(formatVerifierKey(parseSigningKey(privateKey).verifier)).toBe(publicKey)
    expect(publicKey).toMatch(/^example\.com\/audit\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/)
  })

  it.each(['', 'a b', 'a+b', 'a\u2003b', 'a\u0001'])('is not called %j', (name) => {
    expect(() => generateKeys(name)).toThrow(expect.objectContaining({ code: 'AUDIT_INVALID_KEY' }))
  })

  it('that is damaged is refused, and a private one is not repeated', () => {
    const damaged = goKey.replace('c74f20a3', 'c74f20a4')
    expect(() => parseSigningKey(damaged)).toThrow(
      expect.objectContaining({
        code: 'AUDIT_INVALID_KEY',
        message: expect.not.stringContaining('AYEKFALV'),
      }),
    )
    for (const text of [goVerifier.replace('PeterN', 'PeterM'), goVerifier.slice(0, -1), 'nothing', goKey]) {
      expect(() => parseVerifierKey(text)).toThrow(
        expect.objectContaining({
          code: 'AUDIT_INVALID_KEY',
          message: expect.not.stringContaining('AYEKFALV'),
        }),
      )
    }
  })
})

describe('a note', () => {
  it('of Go is read, and ours is the same', () => {
    const note = parseNote(goNote)
    expect(note?.text).toBe(goText)
    expect(note && isSignedBy(note, parseVerifierKey(goVerifier))).toBe(true)
    expect(formatNote({ text: goText, signatures: [signatureBy(parseSigningKey(goKey), goText)] })).toBe(
      goNote,
    )
  })

  it('is not signed by others, nor in another text', () => {
    const other = parseSigningKey(generateKeys('PeterNeumann').privateKey)
    const note = parseNote(goNote)
    if (!note) throw new Error('it was read before')
    expect(isSignedBy(note, other.verifier)).toBe(false)
    expect(isSignedBy({ ...note, text: goText.replace('you', 'You') }, parseVerifierKey(goVerifier))).toBe(
      false,
    )
    const [signature] = note.signatures
    if (!signature) throw new Error('it has one')
    const wrong = { ...signature, signature: Buffer.from(signature.signature).reverse() }
    expect(isSignedBy({ ...note, signatures: [signature, wrong] }, parseVerifierKey(goVerifier))).toBe(false)
  })

  it.each([
    ['without signatures', goText],
    ['without its last newline', goNote.slice(0, -1)],
    ['with a control character', goNote.replace('think', 'th\u0001nk')],
    ['with a line that is no signature', `${goNote}more\n`],
    ['with a hyphen for the dash', goNote.replace('—', '-')],
  ])('%s is none', (_, text) => {
    expect(parseNote(text)).toBeUndefined()
  })
})

describe('a checkpoint', () => {
  const checkpoint = { origin: 'example.com/audit', size: 20_852_163, root: Buffer.alloc(32, 7) }

  it('is written and read', () => {
    const text = formatCheckpoint(checkpoint)
    expect(text).toBe('example.com/audit\n20852163\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n')
    expect(parseCheckpoint(text)).toEqual(checkpoint)
    expect(parseCheckpoint(`${text}an extension\n`)).toEqual(checkpoint)
  })

  it.each([
    ['with a size that begins with 0', ['\n20852163', '\n020852163']],
    ['with a size that is none', ['\n20852163', '\n-1']],
    ['with a root of another length', ['BwcH', '']],
    ['with a root that is written differently', ['Bwc=', 'Bwd=']],
    ['without an origin', ['example.com/audit', '']],
    ['with an empty line', ['audit\n', 'audit\n\n']],
  ])('%s is none', (_, [from, to]) => {
    expect(
      parseCheckpoint(formatCheckpoint(checkpoint).replace(from as string, to as string)),
    ).toBeUndefined()
  })
})
