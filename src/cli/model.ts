import { modelColumns, modelTable, type SchemaBlock, schemaBlocks } from '../models/schema-blocks.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import { readShipped } from './shipped.ts'
import { UsageError } from './usage.ts'

/** The schema that PostgreSQL and Prisma mean when none is named. */
const defaultSchema = 'public'

/** The shipped model under another name, for another table, with `@@schema` where the datasource lists schemas. */
export async function modelFor(table: TableName, name: string, schema: string | undefined): Promise<string> {
  const [shipped = ''] =
    /(?:^\/\/\/.*\n)*^model AuditLog \{[\s\S]*?^\}/m.exec(await readShipped('schema')) ?? []
  const attributes = [`@@map(${JSON.stringify(table.name)})`]
  if (schema !== undefined) attributes.push(`@@schema(${JSON.stringify(schema)})`)
  return shipped
    .replace('model AuditLog', () => `model ${name}`)
    .replace('@@map("audit_logs")', () => attributes.join('\n  '))
}

/**
 * The model of the user's schema that stands for the log. The log is known by its table, never by a model's name.
 *
 * @throws UsageError when the table is taken by a model that is not the log's.
 */
export async function findModel(blocks: SchemaBlock[], table: TableName): Promise<SchemaBlock | undefined> {
  const model = blocks.find((block) => block.keyword === 'model' && sameTable(modelTable(block), table))
  if (!model) return undefined
  const [shipped] = schemaBlocks(await readShipped('schema')).filter(({ keyword }) => keyword === 'model')
  const columns = new Set(modelColumns(model))
  const missing = (shipped ? modelColumns(shipped) : []).filter((column) => !columns.has(column))
  if (missing.length > 0) {
    throw new UsageError(
      `The table ${quoteTable(table)} belongs to your model ${model.name}, which is not this audit log: it has no ${missing.join(', ')}. Give the log a table of its own, for example: init --table audit.audit_logs`,
    )
  }
  return model
}

/**
 * A name for the log's model that is free in the user's schema.
 *
 * @throws UsageError when the name that the user asked for is taken, or can't be a model's.
 */
export function freeModelName(blocks: SchemaBlock[], wanted: string | undefined): string {
  const taken = new Set(blocks.filter(({ keyword }) => keyword !== 'generator').map(({ name }) => name))
  if (wanted === undefined) {
    const names = ['AuditLog', 'AuditEntry', 'AuditTrail', ...Array.from(taken, (_, i) => `AuditLog${i + 2}`)]
    return names.find((name) => !taken.has(name)) as string
  }
  if (!/^[A-Za-z]\w*$/.test(wanted)) {
    throw new UsageError(
      `${JSON.stringify(wanted)} can't be a model's name: Prisma wants a letter, then letters, digits and underscores.`,
    )
  }
  if (taken.has(wanted)) {
    throw new UsageError(
      `The name ${wanted} is taken in your schema. Give the log's model another: init --model Name`,
    )
  }
  return wanted
}

function sameTable(a: TableName, b: TableName): boolean {
  return a.name === b.name && (a.schema ?? defaultSchema) === (b.schema ?? defaultSchema)
}
