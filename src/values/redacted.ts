/** What stands in an entry for a value that the log must not hold. */
export const redactedValue = '[redacted]'
