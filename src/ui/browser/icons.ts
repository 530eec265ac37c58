import type { ComponentChild } from 'preact'
import { html } from './html.ts'

const paths = {
  search: 'M7 12.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11Zm4-1.5 3.5 3.5',
  close: 'm4 4 8 8m0-8-8 8',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M3 13l1.1-1.1M11.9 4.1 13 3',
  moon: 'M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3Z',
  key: 'M10.5 9a3.5 3.5 0 1 0-3.3-2.3L2 12v2h2.5v-1.5H6V11h1.5l1.2-1.3c.6.2 1.2.3 1.8.3Zm.7-4.2h.1',
  gear: 'M8 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M3.4 12.6l1.4-1.4M11.2 4.8l1.4-1.4',
  up: 'm4 10 4-4 4 4',
  down: 'm4 6 4 4 4-4',
  arrow: 'M3 8h10m-4-4 4 4-4 4',
  history: 'M2 8a6 6 0 1 1 1.8 4.3M2 8V4.5M2 8h3.3M8 4.8V8l2.2 1.6',
  copy: 'M5.5 5.5V3A1.5 1.5 0 0 1 7 1.5h6A1.5 1.5 0 0 1 14.5 3v6a1.5 1.5 0 0 1-1.5 1.5h-2.5M3 5.5h6A1.5 1.5 0 0 1 10.5 7v6A1.5 1.5 0 0 1 9 14.5H3A1.5 1.5 0 0 1 1.5 13V7A1.5 1.5 0 0 1 3 5.5Z',
  download: 'M8 2v8m-3.5-3L8 10.500 11.500 7M2.500 13.500h11',
  refresh: 'M13.5 8A5.5 5.5 0 1 1 12 4.2M13.5 1.5v3h-3',
  filter: 'M2 3.5h12M4.5 8h7M7 12.5h2',
  log: 'M3 1.5h7L13 4.500v10H3zM5.500 6h5M5.500 8.700h5M5.500 11.400h3',
} as const

export function Icon({ name }: { name: keyof typeof paths }): ComponentChild {
  return html`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <path d=${paths[name]} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" />
  </svg>`
}
