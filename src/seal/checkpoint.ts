import { hashLength } from './tree.ts'

/** What a log says of itself at one moment: C2SP tlog-checkpoint. */
export interface Checkpoint {
  /** Which log. */
  readonly origin: string
  /** How many leaves its tree has. */
  readonly size: number
  readonly root: Buffer
}

/** The text to sign. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`
}

/** @returns undefined for what is no checkpoint. Further lines are allowed, and not looked at */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [, origin, size, base64] =
    /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]+=)\n(?:[^\n]+\n)*$/.exec(text) ?? []
  if (origin === undefined || size === undefined || base64 === undefined) return undefined
  const root = Buffer.from(base64, 'base64')
  if (root.length !== hashLength || root.toString('base64') !== base64) return undefined
  return Number.isSafeInteger(Number(size)) ? { origin, size: Number(size), root } : undefined
}
