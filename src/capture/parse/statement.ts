import { quoteIdentifier, quoteTable, type TableName } from '../../postgres/identifiers.ts'
import type { Server } from '../../postgres/server.ts'
import { type Conflict, readConflict, targetNames } from './conflict.ts'
import { choiceOf, isPlain, type RowChoice } from './repeatable.ts'
import { type Returning, readReturning } from './returning.ts'
import { findIn, type Syntax, type SyntaxNode } from './syntax.ts'
import { findClause, splitAtCommas } from './tokens.ts'

/** A single writing statement, cut at its clauses. Texts are the statement's own, never rebuilt. */
export type WriteStatement = InsertStatement | UpsertStatement | UpdateStatement | DeleteStatement

/** What it takes to have a statement tell triggers who acts. */
export type PlainWrite =
  | Plain<InsertStatement>
  | Plain<UpsertStatement, 'assigned'>
  | Plain<UpdateStatement, RowClauses | 'assigned' | 'set'>
  | Plain<DeleteStatement, RowClauses>

type RowClauses = 'target' | 'from' | 'with' | 'where'

type Plain<Statement extends WriteStatement, Clauses extends keyof Statement = never> = Pick<
  Statement,
  'kind' | 'table' | 'body' | Clauses
> & { readonly returning: Pick<Returning, 'text'> | undefined }

/** A WITH clause, cut so that other queries fit beside its own. */
interface WithQueries {
  readonly isRecursive: boolean
  readonly queries: string
}

interface AnyWrite {
  readonly table: TableName
  /** The statement's own name for its table: the quoted alias or name. */
  readonly reference: string
  /** Everything before `RETURNING`. */
  readonly body: string
  readonly returning: Returning | undefined
}

/** An INSERT that does not change existing rows. */
export interface InsertStatement extends AnyWrite {
  readonly kind: 'insert'
}

/** `INSERT … ON CONFLICT DO UPDATE` */
export interface UpsertStatement extends AnyWrite {
  readonly kind: 'upsert'
  readonly conflict: Conflict
  /** Names of the columns that SET assigns. */
  readonly assigned: readonly string[]
}

/** The rows of an UPDATE or DELETE, as texts without their keyword unless noted. */
interface Selecting {
  /** The table with its alias. */
  readonly target: string
  /** What follows FROM or USING. */
  readonly from: string | undefined
  readonly where: string | undefined
  readonly choice: RowChoice
  /** The statement's own WITH clause. */
  readonly with: WithQueries | undefined
  /** Whether SET or RETURNING read more than the row and parameters: FROM, or a query of the WITH clause. */
  readonly readsMore: boolean
  /** Whether it reads no column: `UPDATE t SET a = 1`, which needs no right to read. */
  readonly readsNothing: boolean
}

export interface UpdateStatement extends AnyWrite, Selecting {
  readonly kind: 'update'
  readonly set: string
  /** Names of the columns that SET assigns. */
  readonly assigned: readonly string[]
  /** What single columns are set to, if the expression is plain: no function, no subquery, no other row. */
  readonly plainValues: ReadonlyMap<string, string>
}

export interface DeleteStatement extends AnyWrite, Selecting {
  readonly kind: 'delete'
}

/** Cuts one parsed writing statement into its clauses. */
export function readStatement(
  type: string,
  node: SyntaxNode,
  syntax: Syntax,
  server: Server,
): WriteStatement {
  const { tokens, slice } = syntax
  const relation = node.relation as {
    schemaname?: string
    relname: string
    alias?: { aliasname: string }
    location: number
  }
  const last = tokens.at(-1)?.text === ';' ? tokens.length - 2 : tokens.length - 1
  const main = findMain(syntax, type, relation.location)
  const returningAt = findClause(tokens, 'RETURNING', main)
  const end = (returningAt ?? last + 1) - 1
  const common = {
    table: relation.schemaname
      ? { schema: relation.schemaname, name: relation.relname }
      : { name: relation.relname },
    reference: quoteIdentifier(relation.alias?.aliasname ?? relation.relname),
    body: slice(0, end),
    returning: returningAt === undefined ? undefined : readReturning(node, syntax, returningAt, last, server),
  }
  if (type === 'InsertStmt') {
    const clause = node.onConflictClause as SyntaxNode | undefined
    if (clause?.action !== 'ONCONFLICT_UPDATE') return { ...common, kind: 'insert' }
    const assigned = targetNames(clause.targetList)
    return { ...common, kind: 'upsert', conflict: readConflict(node, syntax, main), assigned }
  }

  const isDelete = type === 'DeleteStmt'
  const setAt = isDelete ? undefined : findClause(tokens, 'SET', main)
  const hasFrom = (isDelete ? node.usingClause : node.fromClause) !== undefined
  const fromAt = hasFrom ? findClause(tokens, isDelete ? 'USING' : 'FROM', setAt ?? main) : undefined
  const whereAt = findClause(tokens, 'WHERE', main)
  const starts = [setAt, fromAt, whereAt, end + 1].filter((at) => at !== undefined)
  const endOf = (at: number) => Math.min(...starts.filter((start) => start > at)) - 1
  const clause = (at: number | undefined) => (at === undefined ? undefined : slice(at + 1, endOf(at)))
  const selecting = {
    target: slice(main + (isDelete ? 2 : 1), endOf(main)), // UPDATE t, DELETE FROM t
    from: clause(fromAt),
    where: clause(whereAt),
    choice: choiceOf(node),
    with: main > 0 ? withQueries(syntax, main) : undefined,
    readsNothing: !findIn([node.whereClause, node.targetList, node.returningClause], 'ColumnRef'),
    readsMore: hasFrom || (main > 0 && findIn([node.targetList, node.returningClause], 'SubLink')),
  }
  if (setAt === undefined) return { ...common, ...selecting, kind: 'delete' }
  return {
    ...common,
    ...selecting,
    kind: 'update',
    set: slice(setAt + 1, endOf(setAt)),
    assigned: targetNames(node.targetList),
    plainValues: plainValues(node, syntax, setAt + 1, endOf(setAt)),
  }
}

/**
 * The statement's own INSERT, UPDATE or DELETE: the last one before its table. A WITH query may have such a name, too.
 */
function findMain({ tokens }: Syntax, type: string, tableLocation: number): number {
  const keyword = type.replace('Stmt', '').toUpperCase()
  const table = tokens.findIndex((token) => token.start === tableLocation)
  return tokens.findLastIndex((token, index) => index < table && token.text.toUpperCase() === keyword)
}

/** The items of SET of the form `column = expression`. */
function plainValues(
  node: SyntaxNode,
  { tokens, slice }: Syntax,
  first: number,
  last: number,
): Map<string, string> {
  const targets = (node.targetList ?? []) as {
    ResTarget: { name: string; val: SyntaxNode; location: number }
  }[]
  const targetAt = new Map(targets.map(({ ResTarget }) => [ResTarget.location, ResTarget]))
  return new Map(
    splitAtCommas(tokens, first, last).flatMap(([start, end]) => {
      const target = targetAt.get(tokens[start]?.start ?? -1)
      const isSingle = tokens[start + 1]?.text === '='
      return target && isSingle && isPlain(target.val) ? [[target.name, slice(start + 2, end)] as const] : []
    }),
  )
}

function withQueries({ tokens, slice }: Syntax, main: number): WithQueries {
  const isRecursive = tokens[1]?.text.toUpperCase() === 'RECURSIVE'
  return { isRecursive, queries: slice(isRecursive ? 2 : 1, main - 1) }
}

/** A WITH clause as text. */
export function withText({ isRecursive, queries }: WithQueries): string {
  return `WITH ${isRecursive ? 'RECURSIVE ' : ''}${queries}`
}

/** `"public"."users" AS "u"`: the table with the statement's name for it. */
export function tableOf({ table, reference }: WriteStatement): string {
  return `${quoteTable(table)} AS ${reference}`
}

/** An UPDATE or DELETE with one more condition. */
export function withCondition<Statement extends Extract<PlainWrite, { kind: 'update' | 'delete' }>>(
  statement: Statement,
  condition: string,
): Statement {
  const { where } = statement
  return selectedBy(statement, where === undefined ? condition : `(${where}) AND ${condition}`)
}

/**
 * An UPDATE or DELETE of rows that were chosen before. A plain condition stays, as it finds them by an index. Any other
 * could choose again, and differently, so it is not evaluated: PostgreSQL folds `OR true`, after it has found the types
 * of the parameters in it. Neither is a join that only chooses rows: those that it reads were not locked.
 */
export function ofChosenRows<Statement extends UpdateStatement | DeleteStatement>(
  statement: Statement,
  isChosen: string,
): Statement {
  const { where, choice, from, returning } = statement
  if (statement.kind === 'delete' && from !== undefined && !returning) {
    const joined = `EXISTS (SELECT FROM ${from}${where === undefined ? '' : ` WHERE ${where}`})`
    return selectedBy({ ...statement, from: undefined }, `${isChosen} AND (${joined} OR true)`)
  }
  if (choice === 'plain') return withCondition(statement, isChosen)
  return selectedBy(statement, where === undefined ? isChosen : `${isChosen} AND ((${where}) OR true)`)
}

function selectedBy<Statement extends Extract<PlainWrite, { kind: 'update' | 'delete' }>>(
  statement: Statement,
  where: string,
): Statement {
  const { target, from } = statement
  const [head, joined] =
    statement.kind === 'delete'
      ? [`DELETE FROM ${target}`, `USING ${from}`]
      : [`UPDATE ${target} SET ${statement.set}`, `FROM ${from}`]
  const body = [statement.with && withText(statement.with), head, from && joined, `WHERE ${where}`].filter(
    (part) => part !== undefined,
  )
  return { ...statement, where, body: body.join('\n') }
}

/** A query of the rows that an UPDATE or DELETE selects. */
export function selectMatching(
  statement: UpdateStatement | DeleteStatement,
  columns: string,
  condition?: string,
): string {
  const { from, where, target } = statement
  const conditions = [where, condition].filter((one) => one !== undefined).map((one) => `(${one})`)
  return [
    ...(statement.with ? [withText(statement.with)] : []),
    `SELECT ${columns} FROM ${target}${from === undefined ? '' : `, ${from}`}`,
    ...(conditions.length > 0 ? [`WHERE ${conditions.join(' AND ')}`] : []),
  ].join('\n')
}
