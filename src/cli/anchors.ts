import type { Anchor } from '../anchor.ts'
import { fileAnchor } from '../anchors/file.ts'
import { httpAnchor } from '../anchors/http.ts'
import type { ReadableAnchor } from '../seal/verify/anchored.ts'
import { UsageError } from './usage.ts'

/**
 * The anchor that `--anchor` names: `file:PATH`, `s3://bucket/prefix`, a URL, or the name of one in the option `seal`.
 *
 * @throws UsageError
 */
export async function anchorAt(place: string, configured: readonly Anchor[]): Promise<ReadableAnchor> {
  const anchor = configured.find(({ name }) => name === place) ?? (await anchorIn(place))
  const { name, read } = anchor ?? {}
  if (name !== undefined && read) return { name, read: (signal) => read.call(anchor, signal) }
  throw new UsageError(
    anchor
      ? `The anchor ${JSON.stringify(place)} can't be read back: it keeps no copy of the checkpoints.`
      : `--anchor takes file:PATH, s3://bucket/prefix, https://…, or the name of an anchor in audit.config.ts, and is ${JSON.stringify(place)}.`,
  )
}

async function anchorIn(place: string): Promise<Anchor | undefined> {
  if (place.startsWith('file:'))
    return fileAnchor({ path: place.replace(/^file:(\/\/(?=\/))?/, ''), name: place })
  if (/^https?:\/\//.test(place) && URL.canParse(place)) return httpAnchorAt(new URL(place))
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(place) ?? []
  if (bucket === undefined) return undefined
  const { s3Anchor } = await import('../anchors/s3.ts')
  return s3Anchor({
    bucket,
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    retention: 'none',
    name: place,
  })
}

/** What is printed of it, and goes to logs, is its name: without a token that the URL may have. */
function httpAnchorAt(url: URL): Anchor {
  const { origin, pathname, username, password } = url
  if (username === '' && password === '') return httpAnchor({ url, name: `${origin}${pathname}` })
  throw new UsageError(
    '--anchor takes no URL with a password. Put httpAnchor({ url, headers, name }) into audit.config.ts, and give its name.',
  )
}
