import type { S3ClientConfig } from '@aws-sdk/client-s3'
import type { SinkLimits } from '../sink.ts'
import type { Compression } from './compression.ts'

/** Where objects go, and how long nobody can delete them. */
export interface S3Options {
  bucket: string
  /** What keys begin with, such as `prod/`. Each log has its own. Default: nothing. */
  prefix?: string
  /**
   * How long Object Lock keeps each object. `COMPLIANCE`: nobody can delete it before, the account's root included.
   * `GOVERNANCE`: only who has `s3:BypassGovernanceRetention`. `'none'` also takes a bucket without versions and Object Lock:
   * whoever may write there can then overwrite.
   */
  retention: { readonly mode: 'COMPLIANCE' | 'GOVERNANCE'; readonly days: number } | 'none'
  /** Default `'gzip'`, which everything reads. `'zstd'` takes less time and less room, and needs Node 22.15. */
  compression?: Compression
  /** Default: as the bucket does. */
  encryption?: { readonly algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse'; readonly kmsKeyId?: string }
  /** The id of the account that the bucket has to belong to. */
  owner?: string
  /** Default `'s3'`. */
  name?: string
  /** How much one object holds. Default 10,000 entries, 8 MiB of lines before they are zipped, and what comes within a second. */
  limits?: SinkLimits
  /** Region, credentials, and `endpoint` of another store than Amazon's. Default: as the AWS SDK finds them. */
  client?: S3ClientConfig
}
