import { sqlStateOf } from '../postgres/sql-state.ts'
import { storeVerification } from '../seal/verify/stored-verification.ts'
import type { SealVerification } from '../seal/verify/verify-log.ts'
import { logConnection, withWritingConnection } from './connection.ts'
import { databaseUrl } from './database-url.ts'
import { tableOption } from './usage.ts'

/**
 * Stores what `verify` found, for the page and `status`, over a connection of its own: the one that verifies can't write.
 * What was found holds whether or not it can be stored.
 *
 * @param seconds how long it took
 * @returns why it could not be stored
 */
export async function storeResult(
  directory: string,
  given: string | undefined,
  found: SealVerification,
  seconds: number,
): Promise<string | undefined> {
  const table = tableOption(given)
  try {
    await withWritingConnection(await databaseUrl(directory), table, (connection) =>
      storeVerification(logConnection(connection), table, found, seconds),
    )
    return undefined
  } catch (error) {
    const reason = notStored[sqlStateOf(error) ?? ''] ?? (error as Error).message
    return `The result was not stored: ${reason}`
  }
}

/** Why PostgreSQL stores no result, by its code. */
const notStored: Readonly<Record<string, string>> = {
  '42501': "the role may not INSERT into the log's table verifications",
  '25006': 'the database only reads',
  '42P01': "the log has no table verifications: apply the log's migrations again",
}
