import type { Sink } from 'prisma-extension-audit'
import { files } from 'prisma-extension-audit/files'
import { s3 } from 'prisma-extension-audit/s3'
import { motoConfig } from '../scripts/moto.ts'

/** @param place a directory, or a bucket */
export function createSink(kind = '', place = '', endpoint = ''): Sink {
  if (kind === 'files') return files({ name: 'bench', directory: place })
  if (kind === 's3') {
    const retention = { mode: 'COMPLIANCE', days: 1 } as const
    return s3({ name: 'bench', bucket: place, retention, client: motoConfig(endpoint) })
  }
  return { name: 'bench', limits: { entries: 10_000 }, write: async ({ lines }) => void lines.length }
}
