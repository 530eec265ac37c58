/** What a server can do that matters to a statement. */
export interface Server {
  /** `14` for 14.23. */
  readonly major: number
  /** `RETURNING OLD`, in UPDATE and in ON CONFLICT DO UPDATE. */
  readonly returnsOldRows: boolean
  /** `uuidv7()`. */
  readonly makesUuidv7: boolean
  /** Whether `true` and `false` are constants. A cast to bool would give an output column its name. */
  readonly hasBooleanConstants: boolean
}

/** @param versionNumber `server_version_num`, 180004 for 18.4 */
export function serverOf(versionNumber: number): Server {
  const major = Math.floor(versionNumber / 10_000)
  return {
    major,
    returnsOldRows: major >= 18,
    makesUuidv7: major >= 18,
    hasBooleanConstants: major >= 15,
  }
}
