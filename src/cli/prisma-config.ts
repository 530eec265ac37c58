import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { AuditError } from '../errors.ts'

/** What the commands need of the user's `prisma.config.ts`; paths are absolute. */
export interface PrismaConfig {
  readonly schema?: string | undefined
  readonly migrations?: { readonly path?: string | undefined } | undefined
  readonly datasource?: { readonly url?: string | undefined } | undefined
}

/** The part of `@prisma/config` in use: Prisma's own reader of its config file, which comes with `prisma`. */
interface ConfigModuleLike {
  loadConfigFromFile(input: { configRoot: string }): Promise<{
    readonly config?: PrismaConfig
    readonly error?: { readonly _tag: string; readonly error?: Error }
  }>
}

/**
 * Loads the `prisma.config.*` of the project in `directory`, or its `prisma7.config.*`, with Prisma's own loader; empty when
 * it has none.
 *
 * @throws AuditError `AUDIT_CLI` when there is one that can't be loaded.
 */
export async function loadPrismaConfig(directory: string): Promise<PrismaConfig> {
  const loader = requireLoader(directory)
  const file = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs']
    .flatMap((extension) => [`prisma7.config.${extension}`, `prisma.config.${extension}`])
    .find((name) => existsSync(join(directory, name)))
  if (!loader) {
    if (file === undefined) return {}
    throw new AuditError(
      'AUDIT_CLI',
      `There is a ${file}, but the "prisma" package that reads it is not installed. Run: npm install --save-dev prisma`,
    )
  }
  // `import 'dotenv/config'` is how such a file gets its variables; dotenv 17 would announce itself on stdout.
  process.env.DOTENV_CONFIG_QUIET ??= 'true'
  const { config, error } = await loader.loadConfigFromFile({ configRoot: directory })
  if (error) {
    throw new AuditError(
      'AUDIT_CLI',
      `${file ?? 'The Prisma config'} could not be loaded: ${error.error?.message ?? error._tag}. Prisma's own commands need it too; fix it and run this again.`,
      { cause: error.error },
    )
  }
  return config ?? {}
}

/** Finds the loader as a dependency of the user's `prisma`, which also holds where packages are not hoisted. */
function requireLoader(directory: string): ConfigModuleLike | undefined {
  for (const start of [join(directory, 'package.json'), import.meta.url]) {
    try {
      const prisma = createRequire(start).resolve('prisma/package.json')
      return createRequire(prisma)('@prisma/config') as ConfigModuleLike
    } catch {
      // not installed from there
    }
  }
  return undefined
}
