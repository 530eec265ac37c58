import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { AuditError } from '../errors.ts'

/** How objects are compressed. */
export type Compression = 'gzip' | 'zstd'

type Decompress = (bytes: Uint8Array, limits?: { readonly maxOutputLength?: number }) => Promise<Buffer>

/** A way to compress, and how objects are known by it. */
export interface Compressor {
  /** What keys end in. */
  readonly ending: string
  readonly type: string
  readonly compress: (bytes: Uint8Array) => Promise<Buffer>
  readonly decompress: Decompress
}

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip)

/** Node has it from 22.15 on, and its types for Node 20 don't know it. */
const { zstdCompress, zstdDecompress } = zlib as {
  zstdCompress?: typeof zlib.gzip
  zstdDecompress?: typeof zlib.gunzip
}

const compressors: Record<Compression, Compressor | undefined> = {
  gzip: {
    ...{ ending: '.gz', type: 'application/gzip' },
    // a third of the time of the default level, for objects that are a tenth larger
    compress: (bytes) => gzip(bytes, { level: 3, memLevel: 9, chunkSize: 128 * 1024 }),
    decompress: promisify(zlib.gunzip) as Decompress,
  },
  zstd:
    zstdCompress && zstdDecompress
      ? {
          ...{ ending: '.zst', type: 'application/zstd' },
          compress: promisify(zstdCompress),
          decompress: promisify(zstdDecompress) as Decompress,
        }
      : undefined,
}

/** @throws AuditError `AUDIT_INVALID_OPTIONS` for one that this Node does not have */
export function compressorOf(compression: Compression): Compressor {
  const compressor = compressors[compression]
  if (compressor) return compressor
  const reason =
    compression === 'zstd'
      ? `this is Node ${process.versions.node}, which has no zstd. Use Node 22.15 or newer, or compression: 'gzip'`
      : `there is no compression ${JSON.stringify(compression)}. Use 'gzip' or 'zstd'`
  throw new AuditError('AUDIT_INVALID_OPTIONS', `Objects can't be compressed: ${reason}.`)
}

/**
 * What is in an object, which its key says how to read.
 *
 * @throws AuditError `AUDIT_INVALID_OPTIONS` where this Node can't read it; rejects where the bytes are no such object
 */
export function decompressed(
  key: string,
  bytes: Uint8Array,
  limits: { readonly maxOutputLength?: number } = {},
): Promise<Buffer> {
  return compressorOf(key.endsWith('.zst') ? 'zstd' : 'gzip').decompress(bytes, limits)
}
