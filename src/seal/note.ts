/** A text and who signed it: C2SP signed-note. */
export interface SignedNote {
  /** With the newline at its end. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

export interface NoteSignature {
  /** The name of the key. */
  readonly name: string
  /** The first 4 bytes of the key's hash, as hexadecimal. */
  readonly id: string
  readonly signature: Buffer
}

/** One more signature than a note may have. */
const tooManySignatures = 101

export function formatNote({ text, signatures }: SignedNote): string {
  const lines = signatures.map(
    ({ name, id, signature }) =>
      `— ${name} ${Buffer.concat([Buffer.from(id, 'hex'), signature]).toString('base64')}\n`,
  )
  return `${text}\n${lines.join('')}`
}

/** @returns undefined for what is no signed note */
export function parseNote(note: string): SignedNote | undefined {
  const end = note.lastIndexOf('\n\n')
  if (end === -1 || !note.endsWith('\n') || hasControlCharacter(note)) return undefined
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length >= tooManySignatures) return undefined
  const signatures = lines.map(parseSignature)
  const whole = signatures.filter((signature) => signature !== undefined)
  return whole.length === signatures.length ? { text: note.slice(0, end + 1), signatures: whole } : undefined
}

function parseSignature(line: string): NoteSignature | undefined {
  const [, name, base64] = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line) ?? []
  if (name === undefined || base64 === undefined) return undefined
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length < 5 || bytes.toString('base64') !== base64) return undefined
  return { name, id: bytes.toString('hex', 0, 4), signature: bytes.subarray(4) }
}

function hasControlCharacter(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\u0000-\u0009\u000b-\u001f]/.test(text)
}
