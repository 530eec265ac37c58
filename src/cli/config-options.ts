import * as z from 'zod/mini'
import { AuditError } from '../errors.ts'
import type { AuditOptions } from '../options.ts'
import type { ResolvedRetention } from '../retention-options.ts'
import { retentionSchema } from '../retention-schema.ts'
import type { ResolvedSeal } from '../seal-options.ts'
import { sealSchema } from '../seal-schema.ts'
import type { Sink } from '../sink.ts'
import { sinksSchema } from '../sink-schema.ts'
import { checkShape } from '../values/check-shape.ts'
import type { AuditConfig } from './audit-config.ts'

/** The option `sinks` of a configuration file; empty where it has none. */
export function sinksIn(config: AuditConfig): readonly Sink[] {
  const given: unknown = config.options.sinks
  return given === null ? [] : (checkedOption(config, 'sinks', sinksSchema) ?? [])
}

/** The option `seal` of a configuration file, with every default; undefined where it has none. */
export function sealIn(config: AuditConfig): ResolvedSeal | undefined {
  return checkedOption(config, 'seal', sealSchema)
}

/** The option `retention` of a configuration file, with every default; undefined where it has none. */
export function retentionIn(config: AuditConfig): ResolvedRetention | undefined {
  return checkedOption(config, 'retention', retentionSchema)
}

/** @throws AuditError `AUDIT_INVALID_OPTIONS`, naming the file */
function checkedOption<Value>(
  { file, options }: AuditConfig,
  name: keyof AuditOptions,
  schema: z.ZodMiniType<Value>,
): Value | undefined {
  if (options[name] === undefined) return undefined
  const parsed = checkShape(schema, options[name])
  if (parsed.success) return parsed.data
  throw new AuditError(
    'AUDIT_INVALID_OPTIONS',
    `In ${file}: the option ${name} can't be used: ${z.prettifyError(parsed.error)}`,
    { cause: parsed.error },
  )
}

/**
 * The error of a command that needs an option.
 *
 * @param what what the file lacks: "option seal"
 * @param consequence what follows, and what to write
 */
export function notConfigured({ file }: AuditConfig, what: string, consequence: string): AuditError {
  const state = file === undefined ? 'There is no audit.config.ts' : `${file} has no ${what}`
  return new AuditError('AUDIT_CLI', `${state}, so ${consequence}`)
}

/** The error of a command that needs sinks. */
export function withoutSinks(config: AuditConfig, consequence: string): AuditError {
  const fix = 'Write: export default defineAudit({ sinks: [ … ] }). See docs/shipping.md.'
  return notConfigured(config, 'sinks', `${consequence}. ${fix}`)
}
