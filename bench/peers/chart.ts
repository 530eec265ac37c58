import type { Comparison } from './compare.ts'

interface Bar {
  readonly name: string
  readonly isOwn: boolean
  /** Cost of a single write, as a multiple of the unaudited client's. */
  readonly ratio: number | undefined
  /** Part of the operations that are recorded exactly. */
  readonly exact: number | undefined
}

// the name of the longest contender has room in a wide font, too
const [width, left, rowHeight, top] = [970, 450, 30, 52]
const panel = { width: 215, gap: 50 }
const single = ['create', 'update', 'delete', 'upsert']

/** Two columns of bars as SVG, readable on light and dark pages: what a write costs, and how much is recorded exactly. */
export function chart(comparison: Comparison): string {
  const bars = barsOf(comparison)
  const highest = Math.max(2, ...bars.map(({ ratio = 0 }) => ratio))
  const height = top + bars.length * rowHeight + 12
  const rows = bars.map((bar, index) => row(bar, top + index * rowHeight, highest))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">Cost of a single write to unaudited Prisma, and operations recorded exactly, by contender</title>
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .head, .own { font-weight: 600 }
  .bar { fill: #8c959f }
  .own.bar { fill: #0969da }
  .track { fill: #8c959f; opacity: .15 }
  @media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .own.bar { fill: #4493f8 } }
</style>
<text class="head" x="${left}" y="20">Cost of a single write</text>
<text x="${left}" y="38">× unaudited Prisma, less is better</text>
<text class="head" x="${left + panel.width + panel.gap}" y="20">Recorded exactly</text>
<text x="${left + panel.width + panel.gap}" y="38">% of operations, more is better</text>
${rows.join('\n')}
</svg>
`
}

function barsOf({ contenders, costs, correctness }: Comparison): Bar[] {
  return contenders
    .filter(({ name, comparedTo }) => name !== comparedTo)
    .map(({ name, isPeer }) => {
      const ratios = costs.flatMap((cost) => {
        const own = cost.of[name]
        const counts = cost.network === 'loopback' && single.includes(cost.name)
        return counts && own && 'ratio' in own ? [own.ratio] : []
      })
      const exact = correctness?.of[name]?.exact
      return {
        ...{ name, isOwn: !isPeer },
        ratio: ratios.length > 0 ? ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length : undefined,
        exact: correctness && exact !== undefined ? exact / correctness.changing : undefined,
      }
    })
}

function row({ name, isOwn, ratio, exact }: Bar, y: number, highest: number): string {
  const own = isOwn ? 'own ' : ''
  const escaped = name.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const percent = exact === undefined ? undefined : `${Math.floor(exact * 100)} %`
  return `<text class="${own}" x="${left - 12}" y="${y + 17}" text-anchor="end">${escaped}</text>${bar(
    own,
    left,
    y,
    ratio === undefined ? undefined : ratio / highest,
    ratio === undefined ? undefined : `${ratio.toFixed(2)} ×`,
  )}${bar(own, left + panel.width + panel.gap, y, exact, percent)}`
}

/** A bar on its track, with its value behind it; a measurement that was left out has neither. */
function bar(own: string, x: number, y: number, part: number | undefined, label: string | undefined): string {
  if (part === undefined || label === undefined) return ''
  const room = panel.width - 55
  return `
<rect class="track" x="${x}" y="${y + 3}" width="${room}" height="20" rx="3"/><rect class="${own}bar" x="${x}" y="${y + 3}" width="${(room * part).toFixed(1)}" height="20" rx="3"/><text class="${own}" x="${x + room + 8}" y="${y + 17}">${label}</text>`
}
