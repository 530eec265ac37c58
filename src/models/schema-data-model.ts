import type { DataModel } from './data-model.ts'
import { attributeArgument, modelTable, type SchemaBlock, schemaBlocks } from './schema-blocks.ts'

/**
 * The data model of a Prisma schema's text, as the client has it at run time: for the command line, which has no
 * client. As there, models and fields with `@@ignore` and `@ignore` are left out.
 *
 * @param texts the schema's file, or all files of its folder. Prisma has checked that the schema is valid
 */
export function schemaDataModel(texts: readonly string[]): DataModel {
  const blocks = texts.flatMap(schemaBlocks)
  const models = blocks.filter(({ keyword, body }) => keyword === 'model' && !/^\s*@@ignore\b/m.test(body))
  const names = new Set(models.map(({ name }) => name))
  const enums = new Set(blocks.filter(({ keyword }) => keyword === 'enum').map(({ name }) => name))
  return {
    models: Object.fromEntries(
      models.map((model) => {
        const { schema, name } = modelTable(model)
        const fields = memberLines(model).flatMap((line) => readField(line, model.name, names, enums))
        return [model.name, { dbName: name, schema: schema ?? null, fields }]
      }),
    ),
  }
}

type SchemaField = DataModel['models'][string]['fields'][number]

/** One line for each field. The arguments of an attribute may span several. */
function memberLines({ body }: SchemaBlock): string[] {
  const lines: string[] = []
  let open = 0
  for (const line of body.split('\n')) {
    if (open > 0) lines.push(`${lines.pop()} ${line.trim()}`)
    else if (/^\s*\w/.test(line)) lines.push(line.trim())
    const outside = line.replaceAll(/"(?:\\.|[^"\\])*"/g, '')
    open += (outside.match(/[([]/g)?.length ?? 0) - (outside.match(/[)\]]/g)?.length ?? 0)
  }
  return lines
}

function readField(
  line: string,
  model: string,
  models: ReadonlySet<string>,
  enums: ReadonlySet<string>,
): SchemaField[] {
  const [, name, type] = /^(\w+)\s+(\w+)/.exec(line) ?? []
  if (name === undefined || type === undefined || /(?<!@)@ignore\b/.test(line)) return []
  if (models.has(type)) {
    // Prisma's name for a relation without one: both models in alphabetical order
    const relationName = attributeArgument(line, '@relation') ?? [model, type].sort().join('To')
    return [{ name, kind: 'object', type, relationName, isList: /^\w+\s+\w+\[\]/.test(line) }]
  }
  const dbName = attributeArgument(line, '@map')
  return [
    {
      ...{ name, kind: enums.has(type) ? 'enum' : 'scalar', type, isId: /(?<!@)@id\b/.test(line) },
      ...(dbName !== undefined && { dbName }),
    },
  ]
}
