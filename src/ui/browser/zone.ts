import { useSyncExternalState } from './external-state.ts'
import { once, stored } from './stored.ts'

/** Whose clock the web page shows: the browser's, or UTC. */
export type Zone = 'local' | 'utc'

const zoneChanges = new EventTarget()
const choice = stored('prisma-extension-audit.zone', ['local', 'utc'])

export function currentZone(): Zone {
  return choice.read() ?? 'local'
}

export function toggleZone(): void {
  choice.write(currentZone() === 'utc' ? 'local' : 'utc')
  zoneChanges.dispatchEvent(new Event('change'))
}

export function useZone(): Zone {
  return useSyncExternalState(zoneChanges, currentZone)
}

const localName = once(() => new Intl.DateTimeFormat('en').resolvedOptions().timeZone)

/** `Europe/Berlin`, `UTC`. */
export function zoneName(): string {
  return currentZone() === 'utc' ? 'UTC' : localName()
}

/** How far the zone is ahead of UTC at a moment: `UTC`, `UTC+1`, `UTC−3:30`. */
export function zoneOffset(date: Date): string {
  const minutes = currentZone() === 'utc' ? 0 : -date.getTimezoneOffset()
  if (minutes === 0) return 'UTC'
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`
}

/** A date whose UTC fields are what the clock of the zone shows at a moment. */
export function onClock(date: Date): Date {
  const minutes = currentZone() === 'utc' ? 0 : date.getTimezoneOffset()
  return new Date(date.getTime() - minutes * 60_000)
}
