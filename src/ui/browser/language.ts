/** The language of the web page, in its dates and numbers too: one page speaks one language. */
export const language = 'en'

/** `20,000`. */
export function formatNumber(value: number, options?: Intl.NumberFormatOptions): string {
  return value.toLocaleString(language, options)
}

/** A number that was counted up to a limit only. */
export function atMost(count: number, most: number): string {
  return `${formatNumber(count)}${count >= most ? '+' : ''}`
}
