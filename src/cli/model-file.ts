import { join } from 'node:path'
import { AuditError } from '../errors.ts'
import {
  datasourceProvider,
  datasourceSchemas,
  type SchemaBlock,
  schemaBlocks,
} from '../models/schema-blocks.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { PrismaProject } from './find-schema.ts'
import { findModel, freeModelName, modelFor } from './model.ts'
import { withPartitionedKey } from './partitioned-model.ts'
import type { PlannedFile } from './planned-files.ts'
import { UsageError } from './usage.ts'

/**
 * The file of the schema that gets the log's model, unless the schema has it, and what the user should know of it.
 *
 * @param wanted the model's name, where the user gave one
 * @param isPartitioned whether the model is to have the key of a partitioned log; one that is there gets it, too
 */
export async function planModel(
  project: PrismaProject,
  table: TableName,
  wanted: string | undefined,
  isPartitioned: boolean,
): Promise<{ readonly files: readonly PlannedFile[]; readonly notes: readonly string[] }> {
  const blocks = project.files.flatMap(({ text }) => schemaBlocks(text))
  const existing = await findModel(blocks, table)
  const placement = placeModel(datasourceOf(blocks, project), table)
  if (existing) return isPartitioned ? newKey(project, existing) : alreadyThere(existing)
  if ('leftOut' in placement) return { files: [], notes: [placement.leftOut] }
  const name = freeModelName(blocks, wanted)
  const isOther = name !== 'AuditLog' && wanted === undefined
  const model = await modelFor(table, name, placement.schema)
  return {
    files: [modelFile(project, isPartitioned ? withPartitionedKey(model, { name }) : model)],
    notes: isOther
      ? [
          `Your schema has another AuditLog already, so the log's model is ${name} (choose with --model). The log is known by its table, not by this name.`,
        ]
      : [],
  }
}

function alreadyThere({ name }: SchemaBlock) {
  return { files: [], notes: [`The model ${name} is in your schema already.`] }
}

function newKey({ files }: PrismaProject, model: SchemaBlock) {
  const changed = files
    .map(({ path, text }) => ({ path, before: text, text: withPartitionedKey(text, model) }))
    .filter(({ before, text }) => text !== before)
    .map(({ path, text }) => ({ path, text, append: false, replaces: true as const }))
  if (changed.length === 0) return alreadyThere(model)
  return {
    files: changed,
    notes: [
      `The key of your model ${model.name} is now its id and its timestamp, as that of a partitioned table has to be. findUnique({ where: { id } }) no longer compiles: use findFirst, or $audit.`,
    ],
  }
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

function modelFile(project: PrismaProject, model: string): PlannedFile {
  const path = project.isFolder ? join(project.schemaPath, 'audit-log.prisma') : project.schemaPath
  const present = project.files.find((file) => file.path === path)
  if (!present) return { path, text: `${model}\n`, append: false }
  const lines = `${present.text.endsWith('\n') ? '' : '\n'}\n${model}\n`
  return { path, text: present.text.includes('\r\n') ? lines.replaceAll('\n', '\r\n') : lines, append: true }
}
