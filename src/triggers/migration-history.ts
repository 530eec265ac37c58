import { parseScript, type SyntaxNode, stringsOf } from '../capture/parse/syntax.ts'
import { parseTableName, quoteTable, type TableName } from '../postgres/identifiers.ts'

/** What the migrations of a project have made of one table, as far as its triggers go. */
export interface TableHistory {
  readonly table: Required<TableName>
  /** The last line that has it recorded by triggers; undefined where none has, or a later one ended it. */
  readonly watch: RecordedWatch | undefined
  /** The migrations since that line after which the triggers have to be made anew. */
  readonly outdatedBy: Set<string>
}

interface RecordedWatch {
  readonly resource: string
  /** As the line gives them: JSON, or what somebody wrote in its place. */
  readonly options: string
  /** The migration that has the line. */
  readonly migration: string
}

/** What stands in a folder of migrations: the name of each, and its SQL. */
interface NamedScript {
  readonly folder: string
  readonly sql: string
}

/** Changes of a table after which the function that its triggers call is another: columns, their types, keys. */
const outdatingCommands = new Set([
  ...['AT_AddColumn', 'AT_DropColumn', 'AT_AlterColumnType'],
  ...['AT_AddIndexConstraint', 'AT_DropConstraint', 'AT_AddInherit'],
])

/**
 * Follows the tables of a project through its migrations, without a database: which there are, how triggers record them,
 * and which changed since. {@link loadParser} comes first.
 *
 * What a migration does in a DO block, or in a text that PostgreSQL's parser can't read, is not seen.
 */
export class MigrationHistory {
  /** The migrations that can't be read. */
  readonly unreadable: string[] = []
  readonly #tables = new Map<string, TableHistory>()
  readonly #log: TableName
  readonly #defaultSchema: string

  /**
   * @param migrations in the order in which they are applied
   * @param log the log's table, whose functions make the triggers
   * @param defaultSchema where tables are whose schema is not named
   */
  constructor(migrations: readonly NamedScript[], log: TableName, defaultSchema: string) {
    this.#log = log
    this.#defaultSchema = defaultSchema
    for (const { folder, sql } of migrations) {
      const statements = parseScript(sql)
      if (!statements) this.unreadable.push(folder)
      for (const { type, node } of statements ?? []) this.#follow(type, node, folder)
    }
  }

  get tables(): readonly TableHistory[] {
    return [...this.#tables.values()]
  }

  of(table: Required<TableName>): TableHistory | undefined {
    return this.#tables.get(quoteTable(table))
  }

  #follow(type: string, node: SyntaxNode, migration: string): void {
    if (type === 'CreateStmt') this.#create(node, migration)
    if (type === 'CreateForeignTableStmt') this.#create(node.base as SyntaxNode, migration)
    if (type === 'DropStmt') this.#drop(node)
    if (type === 'RenameStmt' && node.renameType === 'OBJECT_COLUMN') this.#outdate(node.relation, migration)
    if (type === 'RenameStmt' && node.renameType === 'OBJECT_TABLE')
      this.#move(node, { name: String(node.newname) }, migration)
    if (type === 'AlterObjectSchemaStmt' && node.objectType === 'OBJECT_TABLE')
      this.#move(node, { schema: String(node.newschema) }, migration)
    if (type === 'AlterTableStmt') this.#alter(node, migration)
    // a trigger for each row after a change decides how the table is recorded: prisma/functions/events_by_statement.sql
    if (type === 'CreateTrigStmt' && node.row && !node.timing) this.#outdate(node.relation, migration)
    if (type === 'SelectStmt') this.#watch(node, migration)
  }

  #create({ relation, if_not_exists, inhRelations, partbound }: SyntaxNode, migration: string): void {
    const table = this.#tableOf(relation)
    if (!if_not_exists || !this.of(table)) this.#set({ table, watch: undefined, outdatedBy: new Set() })
    // a table that inherits has to be recorded with its parent; a partition gets the parent's triggers by itself
    if (Array.isArray(inhRelations) && !partbound) {
      for (const parent of inhRelations) this.#outdate((parent as SyntaxNode).RangeVar, migration)
    }
  }

  #drop({ removeType, objects }: SyntaxNode): void {
    if (removeType !== 'OBJECT_TABLE' && removeType !== 'OBJECT_FOREIGN_TABLE') return
    for (const { List: list } of objects as { List: SyntaxNode }[]) {
      const [name = '', schema = this.#defaultSchema] = stringsOf(list.items).reverse()
      this.#tables.delete(quoteTable({ schema, name }))
    }
  }

  #move({ relation }: SyntaxNode, to: Partial<TableName>, migration: string): void {
    const from = this.#tableOf(relation)
    const known = this.of(from)
    if (!known) return
    this.#tables.delete(quoteTable(from))
    this.#set({ ...known, table: { ...from, ...to } })
    if (known.watch) known.outdatedBy.add(migration)
  }

  #alter({ relation, cmds }: SyntaxNode, migration: string): void {
    for (const { AlterTableCmd: command } of cmds as { AlterTableCmd: SyntaxNode }[]) {
      const { Constraint: constraint, ColumnDef: column } = (command.def ?? {}) as Record<string, SyntaxNode>
      const constraints = [constraint, ...constraintsOf(column)].filter((one) => one !== undefined)
      const isKey = constraints.some(({ contype }) => contype === 'CONSTR_PRIMARY')
      const reaching = constraints.filter(isReaching)
      if (outdatingCommands.has(String(command.subtype)) || isKey || reaching.length > 0)
        this.#outdate(relation, migration)
      // a change of that table now reaches this one
      for (const { pktable } of reaching) this.#outdate(pktable, migration)
    }
  }

  #watch({ targetList }: SyntaxNode, migration: string): void {
    if (!Array.isArray(targetList)) return
    for (const target of targetList) {
      const call = (target as { ResTarget?: { val?: { FuncCall?: SyntaxNode } } }).ResTarget?.val?.FuncCall
      if (!call) continue
      const [name, schema] = stringsOf(call.funcname).reverse()
      if ((schema ?? 'public') !== (this.#log.schema ?? 'public')) continue
      const [relation, resource = '', options = '{}'] = textsOf(call.args)
      if (relation === undefined) continue
      if (name === `${this.#log.name}_watch`) this.#begin(relation, { resource, options, migration })
      if (name === `${this.#log.name}_unwatch`) this.#begin(relation, undefined)
    }
  }

  #begin(relation: string, watch: RecordedWatch | undefined): void {
    const table = { schema: this.#defaultSchema, ...parseTableName(relation) }
    this.#set({ table, watch, outdatedBy: new Set() })
  }

  #outdate(relation: unknown, migration: string): void {
    const known = this.of(this.#tableOf(relation))
    if (known?.watch) known.outdatedBy.add(migration)
  }

  #set(history: TableHistory): void {
    this.#tables.set(quoteTable(history.table), history)
  }

  #tableOf(relation: unknown): Required<TableName> {
    const { relname, schemaname } = relation as { relname: string; schemaname?: string }
    return { schema: schemaname ?? this.#defaultSchema, name: relname }
  }
}

function constraintsOf(column: SyntaxNode | undefined): SyntaxNode[] {
  const constraints = (column?.constraints ?? []) as { Constraint: SyntaxNode }[]
  return constraints.map(({ Constraint: constraint }) => constraint)
}

/** Whether a foreign key has a referential action: cascade, set null or set default. */
function isReaching({ contype, fk_del_action, fk_upd_action }: SyntaxNode): boolean {
  const actions = ['c', 'n', 'd']
  return (
    contype === 'CONSTR_FOREIGN' &&
    (actions.includes(String(fk_del_action)) || actions.includes(String(fk_upd_action)))
  )
}

/** The texts of a call's arguments, as far as they are constants. */
function textsOf(args: unknown): (string | undefined)[] {
  return ((args ?? []) as Record<string, SyntaxNode>[]).map((argument) => {
    const { A_Const: constant } = (argument.TypeCast?.arg ?? argument) as Record<
      string,
      { sval?: { sval?: string } }
    >
    return constant?.sval?.sval
  })
}
