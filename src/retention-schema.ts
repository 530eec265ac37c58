import * as z from 'zod/mini'
import type { MonthArchive } from './archive-contract.ts'

const aSpan = "must be a whole number of days, weeks, months or years, such as '7 years', or 'forever'"
const span = z.string(aSpan).check(z.regex(/^(?:forever|[1-9]\d{0,4} (?:day|week|month|year)s?)$/, aSpan))

const name = z.string().check(z.minLength(1))
const matched = { resource: z.optional(name), organization: z.optional(name) }

const rule = z
  .union([
    z.strictObject({ ...matched, keep: span, hold: z.optional(z.undefined()) }),
    z.strictObject({ ...matched, hold: z.literal(true), keep: z.optional(z.undefined()) }),
  ])
  .check(
    z.refine(
      ({ resource, organization }) => resource !== undefined || organization !== undefined,
      'a rule names a resource, an organization or both',
    ),
  )

/** The option `retention`. */
export const retentionSchema = z.strictObject({
  default: span,
  rules: z._default(z.array(rule), []),
  archive: z.custom<MonthArchive>(
    isArchive,
    "must be an archive: archiveFolder({ directory }) of 'prisma-extension-audit/archive', or archiveS3({ … }) of 'prisma-extension-audit/archive-s3'",
  ),
})

function isArchive(value: unknown): boolean {
  const { location, put, fetch, engine } = (value ?? {}) as Partial<MonthArchive>
  return typeof location === 'string' && [put, fetch, engine].every((part) => typeof part === 'function')
}
