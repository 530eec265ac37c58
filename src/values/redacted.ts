/** Replaces a value in an entry that the log must not hold. */
export const redactedValue = '[redacted]'
