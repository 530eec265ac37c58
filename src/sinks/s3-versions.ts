import type { ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3'

/** Where a page of versions begins; empty for the first. */
export interface VersionMarkers {
  readonly KeyMarker?: string | undefined
  readonly VersionIdMarker?: string | undefined
}

/** A version as a list names it: null for the only one of a bucket without versions. */
export function versionIdOf(listed: string | undefined): string | null {
  return listed === undefined || listed === 'null' ? null : listed
}

/** The pages of a list of versions, one after the other. */
export async function* versionPages(
  read: (from: VersionMarkers) => Promise<ListObjectVersionsCommandOutput>,
): AsyncGenerator<ListObjectVersionsCommandOutput, void, void> {
  let from: VersionMarkers | undefined = {}
  while (from) {
    const page: ListObjectVersionsCommandOutput = await read(from)
    yield page
    const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page
    from = IsTruncated ? { KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker } : undefined
  }
}
