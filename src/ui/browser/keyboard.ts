import { currentPlace, goTo } from './location.ts'

/** The keys of the web page, as the help lists them. */
export const keys: readonly [keys: readonly string[], meaning: string][] = [
  [['j', '↓'], 'the next, older entry'],
  [['k', '↑'], 'the previous entry, newer'],
  [['Enter'], 'open the entry and go to it'],
  [['Esc'], 'close the entry'],
  [['/'], 'search'],
  [['l'], 'the life of the open record'],
  [['t'], 'light or dark'],
  [['u'], 'times in UTC, or in your own time zone'],
  [['?'], 'this help'],
]

interface Actions {
  readonly help: () => void
  readonly theme: () => void
  readonly zone: () => void
}

/** Listens to the keys; returns a function to stop. */
export function listenToKeys(actions: Actions): () => void {
  const listen = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return
    const target = event.target as HTMLElement
    if (target.closest('dialog[open]')) return
    if (target.closest('input, select, textarea')) {
      if (event.key === 'Escape') target.blur()
      return
    }
    const action = actionFor(event.key, target, actions)
    if (!action) return
    event.preventDefault()
    action()
  }
  addEventListener('keydown', listen)
  return () => removeEventListener('keydown', listen)
}

function actionFor(
  key: string,
  target: HTMLElement,
  { help, theme, zone }: Actions,
): (() => void) | undefined {
  const inDetail = target.closest('.detail') !== null
  switch (key) {
    case 'j':
      return () => move(1)
    case 'k':
      return () => move(-1)
    // inside the entry, the arrows scroll
    case 'ArrowDown':
      return inDetail ? undefined : () => move(1)
    case 'ArrowUp':
      return inDetail ? undefined : () => move(-1)
    case 'Enter':
      return currentPlace().entry && (target === document.body || target.matches('[data-entry]'))
        ? () => openFocused(target)
        : undefined
    case 'Escape':
      return close
    case '/':
      return () => document.querySelector<HTMLInputElement>('#search')?.focus()
    case 'l':
      return document.querySelector('.detail-links a[href*="view=record"]') ? openLife : undefined
    case 't':
      return theme
    case 'u':
      return zone
    case '?':
      return help
    default:
      return undefined
  }
}

function rows(): HTMLAnchorElement[] {
  return [...document.querySelectorAll<HTMLAnchorElement>('[data-entry]')]
}

function move(step: number): void {
  const all = rows()
  const place = currentPlace()
  const current = all.findIndex((row) => row === document.activeElement || row.dataset.entry === place.entry)
  const focused = all.indexOf(document.activeElement as HTMLAnchorElement)
  const from = focused >= 0 ? focused : current
  const next = all[from < 0 ? 0 : Math.min(Math.max(from + step, 0), all.length - 1)]
  if (!next) return
  next.focus({ preventScroll: true })
  next.scrollIntoView({ block: 'nearest' })
  // moving through entries is one step in the browser's history, not many
  goTo({ ...place, entry: next.dataset.entry as string }, { replace: place.entry !== undefined })
}

function openFocused(target: HTMLElement): void {
  const entry = target.dataset.entry
  if (entry) goTo({ ...currentPlace(), entry })
  requestAnimationFrame(() => document.querySelector<HTMLElement>('#detail')?.focus())
}

function close(): void {
  const { entry, ...place } = currentPlace()
  if (!entry) return
  goTo(place)
  rows()
    .find((row) => row.dataset.entry === entry)
    ?.focus({ preventScroll: true })
}

function openLife(): void {
  document.querySelector<HTMLAnchorElement>('.detail-links a[href*="view=record"]')?.click()
}
