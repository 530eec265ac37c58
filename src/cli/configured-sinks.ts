import * as z from 'zod/mini'
import { AuditError } from '../errors.ts'
import type { Sink } from '../sink.ts'
import { sinksSchema } from '../sink-schema.ts'
import { checkShape } from '../values/check-shape.ts'
import type { AuditConfig } from './audit-config.ts'

/**
 * The sinks of a project.
 *
 * @param lack what follows where there are none: "there is nowhere to ship to". Undefined where there need be none
 * @throws AuditError `AUDIT_CLI` or `AUDIT_INVALID_OPTIONS`
 */
export function configuredSinks({ file, options }: AuditConfig, lack: string | undefined): readonly Sink[] {
  const parsed = checkShape(sinksSchema, (options.sinks as unknown) ?? [])
  if (!parsed.success) {
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      `In ${file}: the option sinks can't be used: ${z.prettifyError(parsed.error)}`,
      {
        cause: parsed.error,
      },
    )
  }
  if (parsed.data.length > 0 || lack === undefined) return parsed.data
  throw new AuditError(
    'AUDIT_CLI',
    `${file === undefined ? 'There is no audit.config.ts' : `${file} has no sinks`}, so ${lack}. Write: export default defineAudit({ sinks: [ … ] }). See docs/shipping.md.`,
  )
}
