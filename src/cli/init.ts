import { existsSync } from 'node:fs'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { AuditError } from '../errors.ts'
import {
  datasourceProvider,
  datasourceSchemas,
  type SchemaBlock,
  schemaBlocks,
} from '../models/schema-blocks.ts'
import type { TableName } from '../postgres/identifiers.ts'
import { findProject, type PrismaProject } from './find-schema.ts'
import { type LogMigration, logMigrations } from './log-migrations.ts'
import { newMigrationFolders, readMigrations } from './migrations-folder.ts'
import { findModel, freeModelName, modelFor } from './model.ts'
import { readShipped } from './shipped.ts'
import { tableOption, UsageError } from './usage.ts'

/** What `init` got on its command line. */
export interface InitOptions {
  readonly directory: string
  readonly table?: string | undefined
  readonly model?: string | undefined
  readonly schema?: string | undefined
  readonly now?: Date
}

/** What `init` will write, and what the user should know of it. */
export interface InitPlan {
  readonly directory: string
  readonly table: TableName
  readonly writes: readonly { readonly path: string; readonly text: string; readonly append: boolean }[]
  readonly notes: readonly string[]
}

type Write = InitPlan['writes'][number]

/**
 * Works out which files of the project get the log's model and its migrations, and writes nothing. What is there
 * already is left out, so that a second plan is empty.
 */
export async function planInit(options: InitOptions): Promise<InitPlan> {
  const { directory } = options
  const table = tableOption(options.table)
  const shipped = await logMigrations(table)
  const project = await findProject(directory, options.schema)
  const blocks = project.files.flatMap(({ text }) => schemaBlocks(text))
  const writes: Write[] = []
  const notes: string[] = []

  const existing = await findModel(blocks, table)
  const placement = placeModel(datasourceOf(blocks, project), table)
  if (existing) {
    notes.push(`The model ${existing.name} is in your schema already.`)
  } else if ('leftOut' in placement) {
    notes.push(placement.leftOut)
  } else {
    const name = freeModelName(blocks, options.model)
    if (name !== 'AuditLog' && options.model === undefined) {
      notes.push(
        `Your schema has another AuditLog already, so the log's model is ${name} (choose with --model). The log is known by its table, not by this name.`,
      )
    }
    writes.push(await modelWrite(project, await modelFor(table, name, placement.schema)))
  }

  const migrations = await readMigrations(project.migrationsPath)
  const folderOf = ({ marks }: LogMigration) =>
    migrations.find(({ sql }) => marks.some((mark) => sql.includes(mark)))?.folder
  const missing = shipped.filter((one) => folderOf(one) === undefined)
  for (const one of shipped) {
    const folder = folderOf(one)
    if (folder !== undefined) notes.push(`The migration ${folder} is there already.`)
  }
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name)
    const folders = newMigrationFolders(migrations, names, options.now ?? new Date())
    for (const [index, { sql }] of missing.entries()) {
      const path = join(project.migrationsPath, folders[index] as string, 'migration.sql')
      writes.push({ path, text: sql, append: false })
    }
    const lock = join(project.migrationsPath, 'migration_lock.toml')
    if (!existsSync(lock)) {
      writes.push({ path: lock, text: await readShipped('migrationLock'), append: false })
    }
  }
  return { directory, table, writes, notes }
}

/** Writes what was planned. */
export async function writePlan(plan: InitPlan): Promise<void> {
  for (const { path, text, append } of plan.writes) {
    await mkdir(dirname(path), { recursive: true })
    if (append) await appendFile(path, text)
    else await writeFile(path, text, { flag: 'wx' })
  }
}

/** The plan for people to read; with `contents`, what would be written word for word. */
export function describePlan(plan: InitPlan, { contents }: { contents: boolean }): string {
  const files = plan.writes.map(({ path, text, append }) => {
    const line = `${append ? 'append to' : 'create'} ${relative(plan.directory, path)}`
    return contents ? `--- ${line}\n${text.replace(/^\n+/, '')}` : line
  })
  const nothing = contents ? 'Nothing to write.' : 'Nothing to do: the audit log is in your project already.'
  const sections = [files.join('\n') || nothing, plan.notes.join('\n'), nextSteps(plan)]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

function nextSteps({ writes, table, directory }: InitPlan): string {
  const migrations = writes.filter(({ path }) => path.endsWith('migration.sql'))
  const steps: string[] = []
  if (migrations.length > 0) {
    steps.push('npx prisma migrate deploy      (in development: npx prisma migrate dev)')
    // A new lock file means a new migrations folder: the database may have come from `prisma db push`.
    if (writes.some(({ path }) => path.endsWith('.toml'))) {
      const files = migrations.map(
        ({ path }) => `  npx prisma db execute --file ${relative(directory, path)}`,
      )
      steps.push('  With prisma db push instead of migrations:', ...files)
    }
  }
  if (writes.some(({ path }) => path.endsWith('.prisma'))) steps.push('npx prisma generate')
  if (table.schema !== undefined || table.name !== 'audit_logs') {
    steps.push(`In your code: withAudit(client, { table: ${tableOptionLiteral(table)} })`)
  }
  return steps.length === 0 ? '' : ['Next:', ...steps.map((step) => `  ${step}`)].join('\n')
}

function datasourceOf(blocks: SchemaBlock[], project: PrismaProject): SchemaBlock {
  const datasource = blocks.find(({ keyword }) => keyword === 'datasource')
  const provider = datasource && datasourceProvider(datasource)
  if (datasource && (provider === 'postgresql' || provider === 'postgres')) return datasource
  throw new AuditError(
    'AUDIT_CLI',
    `The schema ${project.schemaPath} has ${datasource ? `the provider ${JSON.stringify(provider)}` : 'no datasource block'}. The audit log needs a datasource with provider = "postgresql".`,
  )
}

/**
 * Where the model can stand so that `prisma validate` accepts it: Prisma wants `@@schema` on every model when the
 * datasource lists schemas, and refuses it when it doesn't. The log works without a model, so where none can stand
 * it is left out rather than the user's datasource rewritten.
 */
function placeModel(
  datasource: SchemaBlock,
  table: TableName,
): { schema: string | undefined } | { leftOut: string } {
  const schemas = datasourceSchemas(datasource)
  const { schema = 'public' } = table
  if (schemas?.includes(schema)) return { schema }
  if (schemas === undefined && schema === 'public') return { schema: undefined }
  if (table.schema === undefined) {
    throw new UsageError(
      `Your datasource lists the schemas ${schemas?.join(', ')}, and "public" is not among them. Say where the log's table goes: init --table ${schemas?.[0]}.${table.name}`,
    )
  }
  const list = [...(schemas ?? ['public']), schema].map((name) => JSON.stringify(name)).join(', ')
  const attributes = schemas === undefined ? ' and @@schema("public") to every model and enum' : ''
  return {
    leftOut: `No model was added: it needs @@schema(${JSON.stringify(schema)}), and your datasource does not list that schema. The log works without a model, through $audit. To have one too, write schemas = [${list}] in the datasource block${attributes}, and run this again.`,
  }
}

async function modelWrite(project: PrismaProject, model: string): Promise<Write> {
  const path = project.isFolder ? join(project.schemaPath, 'audit-log.prisma') : project.schemaPath
  const present = project.files.find((file) => file.path === path)
  if (!present) return { path, text: `${model}\n`, append: false }
  const lines = `${present.text.endsWith('\n') ? '' : '\n'}\n${model}\n`
  return { path, text: present.text.includes('\r\n') ? lines.replaceAll('\n', '\r\n') : lines, append: true }
}

/** The table as the `table` option takes it, written as JavaScript. */
function tableOptionLiteral({ schema, name }: TableName): string {
  const parts = [schema, name].filter((part) => part !== undefined)
  const text = parts
    .map((part) => (/^[^".\s]+$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`))
    .join('.')
  return /['\\\n]/.test(text) ? JSON.stringify(text) : `'${text}'`
}
