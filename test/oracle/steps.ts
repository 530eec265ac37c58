import { AnyNull, DbNull, JsonNull } from '@prisma/client/runtime/client'

/** One call of the client. Everything in it is data, so that a failing sequence can be read and run again. */
export interface Call {
  /** As the client calls it (`orderItem`); empty for raw SQL. */
  readonly model: string
  readonly operation: string
  readonly args: unknown
}

/** Raw SQL: a text with each of its placeholders once and in order, and their values. */
export interface RawCall extends Call {
  readonly model: ''
  readonly args: readonly [sql: string, ...values: unknown[]]
}

/** Several steps in a transaction; `nested` stands inside another one, and is a savepoint. */
export interface Transaction {
  readonly transaction: 'batch' | 'interactive' | 'nested'
  readonly end: 'commits' | 'is rolled back'
  readonly steps: readonly Step[]
}

export type Step = Call | Transaction

export function isTransaction(step: Step): step is Transaction {
  return 'transaction' in step
}

/** How many calls the steps make. */
export function countCalls(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + (isTransaction(step) ? countCalls(step.steps) : 1), 0)
}

/** The steps as a program that can be pasted into a file with a `prisma` in it. */
export function printSteps(steps: readonly Step[], client = 'prisma', indent = ''): string {
  return steps.map((step) => printStep(step, client, indent)).join('\n')
}

function printStep(step: Step, client: string, indent: string): string {
  if (!isTransaction(step)) return `${indent}await ${printCall(step, client)}.catch(console.error)`
  if (step.transaction === 'batch') {
    const calls = step.steps.map((one) => `${indent}  ${printCall(one as Call, client)},`)
    return `${indent}await ${client}.$transaction([\n${calls.join('\n')}\n${indent}]).catch(console.error)`
  }
  const inner = step.steps.map((one) =>
    isTransaction(one) ? printStep(one, 'tx', `${indent}  `) : `${indent}  await ${printCall(one, 'tx')}`,
  )
  const end = step.end === 'commits' ? [] : [`${indent}  throw new Error('rolled back')`]
  return `${indent}await ${client}.$transaction(async (tx) => {\n${[...inner, ...end].join('\n')}\n${indent}}).catch(console.error)`
}

function printCall({ model, operation, args }: Call, client: string): string {
  if (model !== '') return `${client}.${model}.${operation}(${printValue(args)})`
  if (!isTagged(operation)) return `${client}.${operation}(${(args as unknown[]).map(printValue).join(', ')})`
  const [strings, values] = templateOf(args as RawCall['args'])
  return `${client}.${operation}\`${strings.map((text, index) => (index === 0 ? text : `\${${printValue(values[index - 1])}}${text}`)).join('')}\``
}

/** Whether raw SQL is sent by a tagged template. */
export function isTagged(operation: string): boolean {
  return operation === '$executeRaw' || operation === '$queryRaw'
}

/** What a tagged template is called with. */
export function templateOf([sql, ...values]: RawCall['args']): [TemplateStringsArray, unknown[]] {
  const strings = sql.split(/\$\d+/)
  return [Object.assign([...strings], { raw: strings }), values]
}

function printValue(value: unknown): string {
  if (value === DbNull) return 'Prisma.DbNull'
  if (value === JsonNull) return 'Prisma.JsonNull'
  if (value === AnyNull) return 'Prisma.AnyNull'
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Date) return `new Date('${value.toISOString()}')`
  if (value instanceof Uint8Array) return `Uint8Array.from([${[...value].join(', ')}])`
  if (Array.isArray(value)) return `[${value.map(printValue).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  const fields = Object.entries(value).map(([key, inner]) => `${printKey(key)}: ${printValue(inner)}`)
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

function printKey(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)
}
