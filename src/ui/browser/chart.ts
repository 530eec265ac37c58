import type { ComponentChild } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import type { WireActivity, WireLeftOut } from '../wire.ts'
import { ask, filterParameters, useAnswer } from './api.ts'
import { html } from './html.ts'
import { formatNumber, language } from './language.ts'
import { goTo, type Place } from './location.ts'
import { TakeAlong } from './take-along.ts'
import { useTheme } from './theme.ts'
import { shortTime, utcMonth } from './time.ts'
import { currentZone, onClock, useZone } from './zone.ts'

interface ActivityProps {
  place: Place
  filter: Place
  /** Of the entries beside it. */
  version: number
}

/** The number of entries over time. Dragging over a span or clicking a bar filters by it. */
export function Activity({ place, filter, version }: ActivityProps): ComponentChild {
  const { answer, error, loading } = useAnswer(JSON.stringify([filter, version]), (signal) =>
    ask('activity', { ...filterParameters(filter), buckets: innerWidth < 700 ? 48 : 120 }, signal),
  )
  const totals = answer && sum(answer)
  const isFilled = answer !== undefined && answer.counts.length > 0
  return html`<figure class="activity" aria-busy=${loading}>
    <figcaption>
      ${
        filter.outcome !== 'failure' &&
        html`<span><i class="swatch success" />${totals ? amount(answer, totals.successes) : '…'} successful</span>`
      }
      ${
        filter.outcome !== 'success' &&
        html`<span><i class="swatch failure" />${totals ? amount(answer, totals.failures) : '…'} failed</span>`
      }
      ${isFilled && html`<span class="muted">${spanName(answer.bucket)} a bar</span>`}
      ${answer && answer.sample < 1 && html`<span class="muted" title=${`Counted on ${percent(answer.sample)} of the table and scaled up`}>estimated</span>`}
      <span class="grow" />
      ${isFilled && html`<span class="muted hint">Drag to choose a time range</span>`}
      <${TakeAlong} filter=${filter} place=${place} />
    </figcaption>
    ${answer?.ignored.includes('text') && html`<p class="note">The chart and its totals leave the text filter out: they also count entries without “${filter.text}”.</p>`}
    ${answer?.leftOut && html`<p class="note"><${LeftOut} leftOut=${answer.leftOut} /></p>`}
    ${error && html`<p class="note">${error.message}</p>`}
    ${isFilled && !error && html`<${Bars} activity=${answer} place=${place} />`}
    ${!answer && !error && html`<div class="bars" />`}
  </figure>`
}

/** What the totals and the chart don't count. */
function LeftOut({ leftOut: { before, isListed } }: { leftOut: WireLeftOut }): ComponentChild {
  const older = isListed ? 'which the list has, too' : 'which this page was not given'
  return `Counted is the table, which has everything since ${utcMonth(before)}. Older entries are in the archive, ${older}.`
}

/** A count exactly, an estimate with three digits. */
function amount({ sample }: WireActivity, count: number): string {
  return sample < 1 ? `≈ ${formatNumber(Number(count.toPrecision(3)))}` : formatNumber(count)
}

function percent(part: number): string {
  return formatNumber(part, { style: 'percent', maximumSignificantDigits: 2 })
}

function sum({ counts }: WireActivity): { successes: number; failures: number } {
  return {
    successes: counts.reduce((total, [, successes]) => total + successes, 0),
    failures: counts.reduce((total, [, , failures]) => total + failures, 0),
  }
}

function spanName(milliseconds: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1000],
  ] as const
  const [unit, size] = units.find(([, length]) => milliseconds % length === 0) ?? units[3]
  const count = milliseconds / size
  return count === 1 ? `one ${unit}` : `${count} ${unit}s`
}

function Bars({ activity, place }: { activity: WireActivity; place: Place }): ComponentChild {
  const element = useRef<HTMLDivElement>(null)
  const theme = useTheme()
  const zone = useZone()
  // the theme's colours and the zone are read while drawing
  useEffect(() => {
    if (!element.current) return
    const container = element.current
    const plot = draw(container, activity, (from, to) =>
      goTo({ ...place, last: undefined, entry: undefined, from: iso(from), to: iso(to) }),
    )
    const observer = new ResizeObserver(() =>
      plot.setSize({ width: container.clientWidth, height: chartHeight }),
    )
    observer.observe(container)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [activity, theme, zone])
  return html`<div class="bars" ref=${element} role="img" aria-label=${describe(activity)} />`
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

function describe(activity: WireActivity): string {
  const { successes, failures } = sum(activity)
  const busiest = activity.counts.toSorted((one, other) => other[1] + other[2] - one[1] - one[2])[0]
  const peak = busiest ? `, the most from ${shortTime(iso(busiest[0]))} on` : ''
  return `Entries over time: ${successes} successful, ${failures} failed${peak}`
}

const chartHeight = 108

const [minute, hour, day] = [60, 3600, 86_400]

/** Seconds from one axis label to the next; never less than a bar. */
const axisSteps = [
  ...[1, 5, 15, 30, minute, 5 * minute, 15 * minute, 30 * minute],
  ...[hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day],
  ...[30 * day, 90 * day, 180 * day, 365 * day, 5 * 365 * day],
]

/** Every bucket from the first to the last, including those without entries. */
function series({ bucket, counts }: WireActivity): [number[], number[], number[]] {
  const columns: [number[], number[], number[]] = [[], [], []]
  const known = new Map(counts.map(([begin, successes, failures]) => [begin, [successes, failures] as const]))
  const [first, last] = [counts[0]?.[0] ?? 0, counts.at(-1)?.[0] ?? -1]
  const step = Math.max(bucket, (last - first) / 2000) // in case the range is wider than asked for
  for (let begin = first; begin <= last; begin += step) {
    const [successes, failures] = known.get(begin) ?? [0, 0]
    columns[0].push(begin / 1000)
    columns[1].push(successes + failures)
    columns[2].push(failures)
  }
  return columns
}

function draw(
  container: HTMLElement,
  activity: WireActivity,
  choose: (from: number, to: number) => void,
): uPlot {
  const style = getComputedStyle(container)
  const color = (name: string) => style.getPropertyValue(name).trim()
  const bars = uPlot.paths.bars?.({ size: [0.82, 28], align: 1, radius: 0.1 })
  const axis = {
    stroke: color('--muted'),
    font: `11px ${style.fontFamily}`,
    ticks: { show: false },
    border: { show: false },
  }
  const bucketSeconds = activity.bucket / 1000
  const data = series(activity)
  const [firstBegin, lastBegin] = [data[0][0] ?? 0, data[0].at(-1) ?? 0]
  let pressedAt = 0
  const plot = new uPlot(
    {
      width: container.clientWidth,
      height: chartHeight,
      padding: [6, 28, 0, 0],
      legend: { show: false },
      ...(currentZone() === 'utc' && {
        tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      }),
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        bind: {
          mousedown: (_, __, handler) => (event) => {
            pressedAt = event.clientX
            handler(event)
            return null
          },
          mouseup: (self, __, handler) => (event) => {
            handler(event)
            if (Math.abs(event.clientX - pressedAt) < 4) clickBar(self)
            return null
          },
          dblclick: () => () => null,
        },
      },
      scales: {
        x: { time: true, range: () => [firstBegin, lastBegin + bucketSeconds] },
        y: { range: (_, __, max) => [0, roundUp(Math.max(max, 2))] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 24,
          gap: 4,
          space: 62,
          incrs: axisSteps.filter((step) => step >= bucketSeconds),
          values: (_, splits, __, ___, step) => timeLabels(splits, step),
        },
        {
          ...axis,
          grid: { stroke: color('--line'), width: 1 },
          size: 44,
          gap: 6,
          splits: (_, __, ___, max) => [0, max / 2, max],
          values: (_, splits) => splits.map((value) => (value === 0 ? '' : formatNumber(value, compact))),
        },
      ],
      series: [
        {},
        { fill: color('--bar'), width: 0, points: { show: false }, ...(bars && { paths: bars }) },
        { fill: color('--bar-failure'), width: 0, points: { show: false }, ...(bars && { paths: bars }) },
      ],
      hooks: {
        setCursor: [(self) => showTooltip(self, container, activity)],
        setSelect: [
          (self) => {
            if (self.select.width < 4) return
            const [from, to] = [self.select.left, self.select.left + self.select.width].map((left) =>
              self.posToVal(left, 'x'),
            ) as [number, number]
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
            choose(
              Math.floor(from / bucketSeconds) * activity.bucket,
              Math.ceil(to / bucketSeconds) * activity.bucket,
            )
          },
        ],
      },
    },
    data,
    container,
  )

  function clickBar(self: uPlot): void {
    const begin = barUnder(self)
    if (begin !== undefined) choose(begin * 1000, begin * 1000 + activity.bucket)
  }
  return plot
}

/** Rounds up to a number that is easy to read, and so is its half: 4, 10, 30, 700. */
function roundUp(number: number): number {
  const step = number < 10 ? 2 : 10 ** Math.floor(Math.log10(number))
  return Math.ceil(number / step) * step
}

const formats = {
  year: { year: 'numeric' },
  month: { month: 'short' },
  day: { day: 'numeric', month: 'short' },
  minute: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  second: { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

/** The label of an axis tick: the month, the day or the time, and what begins there. */
function timeLabels(splits: readonly number[], step: number): string[] {
  return splits.map((seconds) => {
    const clock = onClock(new Date(seconds * 1000))
    return clock.toLocaleString(language, { ...formats[labelKind(clock, step)], timeZone: 'UTC' })
  })
}

/** @param clock from onClock */
function labelKind(clock: Date, step: number): keyof typeof formats {
  if (step >= 28 * 86_400) return clock.getUTCMonth() === 0 ? 'year' : 'month'
  const isMidnight = clock.getUTCHours() + clock.getUTCMinutes() + clock.getUTCSeconds() === 0
  if (step >= 86_400 || isMidnight) return 'day'
  return step >= 60 ? 'minute' : 'second'
}

const compact = { notation: 'compact', maximumSignificantDigits: 2 } as const

/** The start of the bucket at the cursor, in seconds. */
function barUnder(plot: uPlot): number | undefined {
  const { left } = plot.cursor
  if (left === undefined || left < 0) return undefined
  const seconds = plot.posToVal(left, 'x')
  return (plot.data[0] as number[]).findLast((begin) => begin <= seconds)
}

function showTooltip(plot: uPlot, container: HTMLElement, activity: WireActivity): void {
  const begin = barUnder(plot)
  const index = begin === undefined ? -1 : (plot.data[0] as number[]).indexOf(begin)
  const known = container.querySelector<HTMLElement>('.tooltip')
  if (index < 0 || begin === undefined) {
    known?.remove()
    return
  }
  const tooltip =
    known ?? container.appendChild(Object.assign(document.createElement('div'), { className: 'tooltip' }))
  const [total, failures] = [plot.data[1]?.[index] ?? 0, plot.data[2]?.[index] ?? 0]
  tooltip.textContent = `${shortTime(iso(begin * 1000))} · ${amount(activity, total)} ${total === 1 ? 'entry' : 'entries'}${failures ? `, ${amount(activity, failures)} failed` : ''}`
  const left = plot.valToPos(begin, 'x') + plot.bbox.left / devicePixelRatio
  const room = container.clientWidth - tooltip.offsetWidth
  tooltip.style.transform = `translateX(${Math.max(0, Math.min(left, room))}px)`
}
