import pg from 'pg'
import { quote } from '../support/quote.ts'
import { type DataModel, type Field, relationsOf, scalarsOf } from './data-model.ts'
import { Values } from './values.ts'

/**
 * SQL that puts three records into every table and links between them, so that most operations find what they look for.
 * The n-th record has the n-th value of each key, so foreign keys hold, required cycles too; it runs with constraints
 * and triggers off.
 */
export function firstRows(dataModel: DataModel): string {
  const values = new Values(dataModel)
  const rows = dataModel.models.flatMap((model) =>
    [0, 1, 2].map((n) => {
      const fields = scalarsOf(model).map((field) => {
        const own = values.of(model, field)
        return { field, value: field.isList ? [own[n % own.length]] : own[n % own.length] }
      })
      const columns = fields.map(({ field }) => quote(field.dbName ?? field.name))
      const literals = fields.map(({ field, value }) => literal(dataModel, field, value))
      return `INSERT INTO ${quote(model.dbName ?? model.name)} (${columns}) VALUES (${literals.join(', ')});`
    }),
  )
  return [...rows, ...links(dataModel, values)].join('\n')
}

/** SQL that empties every table but the log's, with triggers off. Sequences go on where no key is taken. */
export async function emptyingSql(
  sql: (text: string) => Promise<Record<string, unknown>[]>,
): Promise<string> {
  const tables = await sql(`
    SELECT format('DELETE FROM %I.%I;', n.nspname, c.relname) AS statement
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema|oracle|audit_logs_internal)'
      AND c.relname <> 'audit_logs'`)
  const sequences = await sql(`
    SELECT format('SELECT setval(%L, 100, false);', s.oid::regclass) AS statement
    FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.refobjsubid > 0
    JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE s.relkind = 'S' AND n.nspname <> 'oracle' AND c.relname <> 'audit_logs'`)
  return [...tables, ...sequences].map(({ statement }) => String(statement)).join('\n')
}

/** Rows of the implicit join tables. */
function links(dataModel: DataModel, values: Values): string[] {
  const found = new Map<string, string>()
  for (const model of dataModel.models) {
    for (const relation of relationsOf(model).filter((field) => dataModel.isManyToMany(model, field))) {
      const opposite = dataModel.opposite(model, relation)
      const sides = [
        { model, name: model.name + relation.name },
        { model: dataModel.model(relation.type), name: relation.type + opposite.name },
      ].sort((one, other) => (one.name < other.name ? -1 : 1))
      const keys = sides.map(({ model }) => {
        const id = scalarsOf(model).find(({ isId }) => isId) as Field
        return values.of(model, id).map((value) => literal(dataModel, id, value))
      })
      const [a = [], b = []] = keys
      const pairs = [`(${a[0]}, ${b[1]})`, `(${a[1]}, ${b[0]})`, `(${a[0]}, ${b[0]})`, `(${a[2]}, ${b[1]})`]
      const table = quote(`_${relation.relationName}`)
      found.set(table, `INSERT INTO ${table} ("A", "B") VALUES ${pairs.join(', ')};`)
    }
  }
  return [...found.values()]
}

function literal(dataModel: DataModel, field: Field, value: unknown): string {
  if (value === undefined) return 'NULL'
  const isTimeOfDay = ['Time', 'Timetz'].includes(field.nativeType?.[0] ?? '')
  return pg.escapeLiteral(Array.isArray(value) && field.isList ? arrayText(value) : text(value))

  function text(one: unknown): string {
    if (field.type === 'Json') return JSON.stringify(one)
    if (one instanceof Date) return one.toISOString().slice(isTimeOfDay ? 'YYYY-MM-DDT'.length : 0)
    if (one instanceof Uint8Array) return `\\x${Buffer.from(one).toString('hex')}`
    const label = dataModel.enums
      .find(({ name }) => field.kind === 'enum' && name === field.type)
      ?.values.find(({ name }) => name === one)
    return label ? (label.dbName ?? label.name) : String(one)
  }

  function arrayText(items: unknown[]): string {
    return `{${items.map((item) => `"${text(item).replace(/["\\]/g, '\\$&')}"`).join(',')}}`
  }
}
