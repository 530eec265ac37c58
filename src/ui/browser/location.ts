import { useSyncExternalState } from './external-state.ts'

export const filterKeys = [
  ...['text', 'resource', 'id', 'actor', 'action', 'outcome', 'request', 'transaction', 'organization'],
  ...['last', 'from', 'to'],
] as const
export type FilterKey = (typeof filterKeys)[number]
export type PlaceKey = 'view' | 'entry' | FilterKey

/** The contents of the address: the view, its filters, and the open entry. */
export type Place = { readonly [Key in PlaceKey]?: string | undefined }

const placeKeys: readonly PlaceKey[] = ['view', ...filterKeys, 'entry']

const placeChanges = new EventTarget()
addEventListener('popstate', () => placeChanges.dispatchEvent(new Event('change')))

let [search, place]: [string | undefined, Place] = [undefined, {}]

/** The same object while the address is the same. */
export function currentPlace(): Place {
  if (search !== location.search) {
    search = location.search
    const parameters = new URLSearchParams(search)
    place = Object.fromEntries(
      placeKeys.flatMap((key) => {
        const value = parameters.get(key)
        return value ? [[key, value]] : []
      }),
    )
  }
  return place
}

/** The address of a place, for links. */
export function addressOf(target: Place): string {
  const parameters = new URLSearchParams()
  for (const key of placeKeys) {
    const value = target[key]
    if (value) parameters.set(key, value)
  }
  const query = parameters.toString()
  return `${location.pathname}${query && `?${query}`}`
}

/** Goes to a place. The back button returns, unless it replaces the previous one. */
export function goTo(target: Place, { replace = false } = {}): void {
  const address = addressOf(target)
  if (address === `${location.pathname}${location.search}`) return
  history[replace ? 'replaceState' : 'pushState'](null, '', address)
  placeChanges.dispatchEvent(new Event('change'))
}

export function usePlace(): Place {
  return useSyncExternalState(placeChanges, currentPlace)
}

/** Only the filters of a place. */
export function filtersOf({ view: _, entry: __, ...filters }: Place): Place {
  return filters
}

/** Makes a click on a link inside the web page change the place without a new document. */
export function followLink(event: MouseEvent): void {
  const link = (event.target as Element).closest?.('a[data-go]')
  if (!(link instanceof HTMLAnchorElement)) return
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  const address = `${link.pathname}${link.search}`
  if (address === `${location.pathname}${location.search}`) return
  history.pushState(null, '', address)
  placeChanges.dispatchEvent(new Event('change'))
}
