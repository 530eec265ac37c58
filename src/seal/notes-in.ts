import { parseNote } from './note.ts'

/** Of Ed25519; no shorter one is in use. */
const signatureLength = 64

/**
 * The notes of a text that has one after the other, each behind an empty line. What is none, such as the beginning of a note that a
 * process was writing when it was killed, is left out.
 */
export async function* notesIn(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
  let text: string[] = []
  let signatures: string[] = []
  for await (const line of lines) {
    if (line.startsWith('— ') && text.at(-1) === '') {
      signatures.push(line)
      continue
    }
    if (signatures.length > 0) {
      yield* wholeNote([...text, ...signatures])
      text = []
      signatures = []
    }
    // a text has no empty line in it
    if (text.at(-1) === '') text = []
    if (line !== '' || text.length > 0) text.push(line)
  }
  if (signatures.length > 0) yield* wholeNote([...text, ...signatures])
}

/** The note of these lines, unless its last signature was cut off. */
function wholeNote(lines: readonly string[]): string[] {
  const note = `${lines.join('\n')}\n`
  const last = parseNote(note)?.signatures.at(-1)
  return last && last.signature.length >= signatureLength ? [note] : []
}
