import { useSyncExternalState } from './external-state.ts'

export type Theme = 'light' | 'dark'

const themeChanges = new EventTarget()
const system = matchMedia('(prefers-color-scheme: dark)')
const key = 'prisma-extension-audit.theme'

system.addEventListener('change', apply)
apply()

/** The reader's choice, or else the system's preference. */
export function currentTheme(): Theme {
  const chosen = stored()
  return chosen ?? (system.matches ? 'dark' : 'light')
}

export function toggleTheme(): void {
  const next = currentTheme() === 'dark' ? 'light' : 'dark'
  try {
    localStorage.setItem(key, next)
  } catch {
    document.documentElement.dataset.chosen = next // a browser without storage forgets it with the page
  }
  apply()
}

export function useTheme(): Theme {
  return useSyncExternalState(themeChanges, currentTheme)
}

function apply(): void {
  document.documentElement.dataset.theme = currentTheme()
  themeChanges.dispatchEvent(new Event('change'))
}

function stored(): Theme | undefined {
  const inDocument = document.documentElement.dataset.chosen
  let value: string | null | undefined = inDocument
  try {
    value ??= localStorage.getItem(key)
  } catch {
    // as if nothing were stored
  }
  return value === 'dark' || value === 'light' ? value : undefined
}
