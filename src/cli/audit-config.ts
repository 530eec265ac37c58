import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { types } from 'node:util'
import { AuditError } from '../errors.ts'
import type { DataModel } from '../models/data-model.ts'
import { type AuditOptions, type ResolvedOptions, resolveOptions } from '../options.ts'
import { parseTableName } from '../postgres/identifiers.ts'

/** The options in the project's `audit.config.ts`. */
export interface AuditConfig {
  /** Relative to the project; undefined when there is none, and every default holds. */
  readonly file: string | undefined
  readonly options: AuditOptions
}

const configExtensions = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs']

/** In the order in which Prisma looks for its own. */
const configPlaces = ['audit.config', join('.config', 'audit')]

/**
 * Loads the `audit.config.*` or `.config/audit.*` of the project in `directory`.
 *
 * @param options.isAgain reads what it says now, also where it was loaded before
 * @throws AuditError `AUDIT_CLI` when there is one that can't be loaded, or that exports no options by default.
 */
export async function loadAuditConfig(
  directory: string,
  { isAgain = false }: { isAgain?: boolean } = {},
): Promise<AuditConfig> {
  const file = configPlaces
    .flatMap((place) => configExtensions.map((extension) => `${place}.${extension}`))
    .find((name) => existsSync(join(directory, name)))
  if (file === undefined) return { file, options: {} }
  const options = await importDefault(join(directory, file), file, isAgain)
  if (typeof options !== 'object' || options === null) {
    throw new AuditError(
      'AUDIT_CLI',
      `${file} exports no options. Write: export default defineAudit({ … }), with defineAudit from prisma-extension-audit.`,
    )
  }
  checkTable(options, file)
  return { file, options }
}

/** Every command needs it, and most no other option. */
function checkTable({ table }: { readonly table?: unknown }, file: string): void {
  if (table === undefined) return
  if (typeof table !== 'string') {
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      `In ${file}: the option table is no text. Give "name" or "schema.name".`,
    )
  }
  try {
    parseTableName(table)
  } catch (cause) {
    throw new AuditError('AUDIT_CLI', `In ${file}: ${(cause as AuditError).message}`, { cause })
  }
}

/** The table that `--table` gives, or else the project's options; undefined for that of the shipped migrations. */
export async function configuredTable(directory: string, given?: string): Promise<string | undefined> {
  return given ?? (await loadAuditConfig(directory)).options.table
}

/**
 * The options with every default in place.
 *
 * @throws AuditError `AUDIT_INVALID_OPTIONS`, naming the file, when the schema has no such model or field, or an option
 *   has another value than it may have
 */
export function resolveConfig({ file, options }: AuditConfig, dataModel: DataModel): ResolvedOptions {
  try {
    return resolveOptions(options, dataModel)
  } catch (cause) {
    if (!(cause instanceof AuditError) || file === undefined) throw cause
    throw new AuditError(cause.code, `In ${file}: ${cause.message}`, { cause })
  }
}

async function importDefault(path: string, file: string, isAgain: boolean): Promise<unknown> {
  // as in the Prisma config: dotenv 17 would announce itself on stdout
  process.env.DOTENV_CONFIG_QUIET ??= 'true'
  // it is large, and most projects have no such file
  const { createJiti } = await import('jiti')
  try {
    const exported = await createJiti(path, {
      interopDefault: false,
      ...(isAgain && { moduleCache: false }),
    }).import<{ default?: unknown }>(path)
    // what a TypeScript file in CommonJS exports stands for itself
    const isModule = types.isModuleNamespaceObject(exported) || '__esModule' in exported
    return isModule ? exported.default : exported
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new AuditError(
      'AUDIT_CLI',
      `${file} could not be loaded: ${reason.replace(/\.$/, '')}. The commands need its options; fix it and run this again.`,
      { cause },
    )
  }
}
