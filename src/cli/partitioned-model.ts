import { attributeArgument, type SchemaBlock } from '../models/schema-blocks.ts'

/**
 * The text of a schema in which a model has the key of a partitioned log, `@@id([id, timestamp])`: PostgreSQL wants the time
 * in it, and with `@id` Prisma's next migration would bring the former key back.
 *
 * @returns the text as it is where the model has no `@id`
 */
export function withPartitionedKey(text: string, { name }: Pick<SchemaBlock, 'name'>): string {
  const block = new RegExp(String.raw`^[ \t]*model\s+${name}\s*\{[\s\S]*?^[ \t]*\}`, 'm')
  return text.replace(block, (model) => {
    const lines = model.split('\n')
    const [id, timestamp] = ['id', 'timestamp'].map((column) =>
      lines.findIndex((line) => columnNameOf(line) === column),
    ) as [number, number]
    const keyed = lines[id]?.replace(/\s+@id(?!\w)(\s*\([^)]*\))?/, '')
    if (keyed === undefined || keyed === lines[id] || timestamp === -1) return model
    lines[id] = keyed
    const attributes = lines.findIndex((line) => /^\s*@@/.test(line))
    const key = `  @@id([${fieldOf(keyed)}, ${fieldOf(lines[timestamp] ?? '')}])${model.includes('\r\n') ? '\r' : ''}`
    lines.splice(attributes === -1 ? lines.length - 1 : attributes, 0, key)
    return lines.join('\n')
  })
}

function fieldOf(line: string): string {
  return /^\s*(\w+)/.exec(line)?.[1] ?? ''
}

function columnNameOf(line: string): string {
  return attributeArgument(line, '@map') ?? fieldOf(line)
}
