import { isUtf8 } from 'node:buffer'

/**
 * The lines of stored bytes, without their ends.
 *
 * @param onRest told of what is behind the last line's end, where there is something
 */
export async function* storedLines(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  onRest: (text: string) => void,
): AsyncGenerator<string> {
  let rest: Buffer[] = []
  for await (const bytes of chunks) {
    let from = 0
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
      yield lineText([...rest, bytes.subarray(from, end)])
      rest = []
      from = end + 1
    }
    if (from < bytes.length) rest.push(bytes.subarray(from))
  }
  if (rest.length > 0) onRest(lineText(rest))
}

/** What is no UTF-8 is made no entry, since decoded it might equal one. */
function lineText(parts: readonly Buffer[]): string {
  const bytes = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
  return isUtf8(bytes) ? bytes.toString() : `\0${bytes}`
}
