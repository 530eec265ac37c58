import type { Server } from '../../postgres/server.ts'
import { type SyntaxNode, stringsOf } from './syntax.ts'

/**
 * The name that PostgreSQL gives an output column without an alias (`FigureColname` in its parser). A rewritten
 * statement must give its columns the same names.
 */
export function outputName(value: SyntaxNode, server: Server): string {
  return figure(value, server).name ?? '?column?'
}

/** A name and its strength: a cast or a CASE takes over only a strong one. */
interface Figured {
  readonly name?: string | undefined
  readonly strength: 0 | 1 | 2
}

const unnamed: Figured = { strength: 0 }
const strong = (name: string | undefined): Figured => (name === undefined ? unnamed : { name, strength: 2 })

/** Expressions that are named after their keyword. */
const keywords: Record<string, string> = {
  A_ArrayExpr: 'array',
  RowExpr: 'row',
  CoalesceExpr: 'coalesce',
  GroupingFunc: 'grouping',
  XmlSerialize: 'xmlserialize',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
}

function figure(value: unknown, server: Server): Figured {
  const [entry] = Object.entries((value ?? {}) as Record<string, SyntaxNode>)
  if (!entry) return unnamed
  const [type, node] = entry
  switch (type) {
    case 'ColumnRef':
      return strong(stringsOf(node.fields).at(-1))
    case 'FuncCall':
      return strong(stringsOf(node.funcname).at(-1))
    case 'A_Indirection': {
      const field = stringsOf(node.indirection).findLast((name) => name !== '*')
      return field === undefined ? figure(node.arg, server) : strong(field)
    }
    case 'A_Expr':
      return node.kind === 'AEXPR_NULLIF' ? strong('nullif') : unnamed
    case 'TypeCast': {
      const inner = figure(node.arg, server)
      return inner.strength === 2
        ? inner
        : { name: stringsOf((node.typeName as SyntaxNode).names).at(-1), strength: 1 }
    }
    case 'CollateClause':
      return figure(node.arg, server)
    case 'CaseExpr': {
      const inner = figure(node.defresult, server)
      return inner.strength === 2 ? inner : { name: 'case', strength: 1 }
    }
    case 'A_Const': // before PostgreSQL 15, true and false are casts to bool
      return 'boolval' in node && !server.hasBooleanConstants ? { name: 'bool', strength: 1 } : unnamed
    case 'MinMaxExpr':
      return strong(node.op === 'IS_LEAST' ? 'least' : 'greatest')
    case 'SubLink':
      return subquery(node, server)
    case 'SQLValueFunction': // SVFOP_CURRENT_TIME_N
      return strong(
        String(node.op)
          .replace(/^SVFOP_|_N$/g, '')
          .toLowerCase(),
      )
    case 'XmlExpr': // IS_XMLELEMENT
      return node.op === 'IS_DOCUMENT' ? unnamed : strong(String(node.op).replace('IS_', '').toLowerCase())
    case 'JsonFuncExpr': // JSON_EXISTS_OP
      return strong(String(node.op).replace('_OP', '').toLowerCase())
    default:
      return strong(keywords[type])
  }
}

function subquery(node: SyntaxNode, server: Server): Figured {
  if (node.subLinkType === 'EXISTS_SUBLINK') return strong('exists')
  if (node.subLinkType === 'ARRAY_SUBLINK') return strong('array')
  if (node.subLinkType !== 'EXPR_SUBLINK') return unnamed
  const select = (node.subselect as SyntaxNode).SelectStmt as
    | { targetList?: { ResTarget: SyntaxNode }[] }
    | undefined
  const target = select?.targetList?.[0]?.ResTarget
  return strong((target?.name as string | undefined) ?? outputName((target?.val ?? {}) as SyntaxNode, server))
}
