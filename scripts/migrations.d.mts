/** What makes the text of each migration that is composed, by their names. */
export const composed: Readonly<Record<string, () => string>>
