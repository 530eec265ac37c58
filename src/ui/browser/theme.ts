import { useSyncExternalState } from './external-state.ts'
import { stored } from './stored.ts'

export type Theme = 'light' | 'dark'

const themeChanges = new EventTarget()
const system = matchMedia('(prefers-color-scheme: dark)')
const choice = stored('prisma-extension-audit.theme', ['light', 'dark'])

system.addEventListener('change', apply)
apply()

/** The reader's choice, or else the system's preference. */
export function currentTheme(): Theme {
  return choice.read() ?? (system.matches ? 'dark' : 'light')
}

export function toggleTheme(): void {
  choice.write(currentTheme() === 'dark' ? 'light' : 'dark')
  apply()
}

export function useTheme(): Theme {
  return useSyncExternalState(themeChanges, currentTheme)
}

function apply(): void {
  document.documentElement.dataset.theme = currentTheme()
  themeChanges.dispatchEvent(new Event('change'))
}
