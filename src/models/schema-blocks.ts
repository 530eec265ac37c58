import type { TableName } from '../postgres/identifiers.ts'

/** A top-level block of a Prisma schema, its comments blanked out. */
export interface SchemaBlock {
  /** `model`, `view`, `enum`, `type`, `datasource` or `generator`. */
  readonly keyword: string
  readonly name: string
  readonly body: string
}

const string = String.raw`"(?:\\.|[^"\\])*"`

/** The blocks of a schema's text. Braces and slashes inside strings and comments don't count. */
export function schemaBlocks(text: string): SchemaBlock[] {
  const comments = new RegExp(String.raw`(${string})|//[^\n]*|/\*[\s\S]*?\*/`, 'g')
  const code = text.replace(comments, (_, kept: string | undefined) => kept ?? ' ')
  const block = new RegExp(String.raw`^\s*(\w+)\s+(\w+)\s*\{((?:${string}|[^"}])*)\}`, 'gm')
  return Array.from(code.matchAll(block), ([, keyword = '', name = '', body = '']) => ({
    keyword,
    name,
    body,
  }))
}

/** The table behind a model, by `@@map` and `@@schema`. */
export function modelTable(model: SchemaBlock): TableName {
  const name = attributeArgument(model.body, '@@map') ?? model.name
  const schema = attributeArgument(model.body, '@@schema')
  return schema === undefined ? { name } : { schema, name }
}

/** The column names of a model, by `@map`; its relation fields are among them under their own names. */
export function modelColumns(model: SchemaBlock): string[] {
  return model.body
    .split('\n')
    .filter((line) => /^\s*\w/.test(line))
    .map((line) => attributeArgument(line, '@map') ?? (/\w+/.exec(line)?.[0] as string))
}

/** The `schemas` list of a datasource block; undefined when it has none. */
export function datasourceSchemas(datasource: SchemaBlock): string[] | undefined {
  const list = /^\s*schemas\s*=\s*\[(.*)\]/m.exec(datasource.body)?.[1]
  if (list === undefined) return undefined
  return Array.from(list.matchAll(new RegExp(string, 'g')), ([text]) => parse(text))
}

/** The `provider` of a datasource block. */
export function datasourceProvider(datasource: SchemaBlock): string | undefined {
  const provider = new RegExp(String.raw`^\s*provider\s*=\s*(${string})`, 'm').exec(datasource.body)?.[1]
  return provider === undefined ? undefined : parse(provider)
}

/** The string argument of an attribute, given by position or by name: `@@map("a")`, `@@map(name: "a")`. */
export function attributeArgument(
  text: string,
  name: '@map' | '@@map' | '@@schema' | '@relation',
): string | undefined {
  const call = new RegExp(String.raw`(?<!@)${name}\s*\(\s*(?:(?:name|map)\s*:\s*)?(${string})`)
  const argument = call.exec(text)?.[1]
  return argument === undefined ? undefined : parse(argument)
}

/** Unquotes a string of the Prisma schema language. Its escapes are `\"`, `\\`, `\n`, `\r`, `\t`, `\uXXXX`. */
function parse(text: string): string {
  const plain: Record<string, string> = { n: '\n', r: '\r', t: '\t' }
  return text
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, hex: string | undefined, character: string) =>
      hex === undefined ? (plain[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
    )
}
