/** One line of the checklist. Only `missing` fails it. */
export interface Check {
  readonly state: 'ok' | 'warning' | 'missing'
  readonly message: string
}

export const ok = (message: string): Check => ({ state: 'ok', message })
export const warning = (message: string): Check => ({ state: 'warning', message })
export const missing = (message: string): Check => ({ state: 'missing', message })
