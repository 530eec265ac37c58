import * as z from 'zod/mini'
import { milliseconds } from '../values/check-shape.ts'

/** How often those who read a log on look for entries, and how long they may be silent: the options that they share. */
export const paceShape = {
  pollInterval: z._default(milliseconds, 1_000),
  leaseDuration: z._default(milliseconds, 30_000),
}
