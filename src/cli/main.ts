#!/usr/bin/env node
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { AuditError } from '../errors.ts'
import { describePlan, planInit, writePlan } from './init.ts'
import { packageVersion } from './shipped.ts'
import { databaseUrl, describeStatus, readStatus } from './status.ts'
import { startPage } from './ui.ts'
import { UsageError, usage } from './usage.ts'

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

/** Runs a command line and gives the exit code. Nothing else prints or decides how the process ends. */
async function run([command, ...args]: string[]): Promise<number> {
  if ([command, ...args].some((arg) => arg === '--help' || arg === '-h')) return print(usage)
  switch (command) {
    case '--version':
    case '-v':
      return print(`${await packageVersion()}\n`)
    case 'init':
      return init(args)
    case 'status':
      return status(args)
    case 'ui':
      return ui(args)
    case undefined:
      throw misuse('No command given.')
    default:
      throw misuse(`Unknown command: ${command}`)
  }
}

async function init(args: string[]): Promise<number> {
  const options = parse(args, { table: text, model: text, schema: text, 'dry-run': flag })
  const plan = await planInit({ ...options, directory: process.cwd() })
  const dryRun = options['dry-run'] ?? false
  if (!dryRun) await writePlan(plan)
  return print(describePlan(plan, { contents: dryRun }))
}

async function status(args: string[]): Promise<number> {
  const options = parse(args, { table: text, json: flag })
  const found = await readStatus(await databaseUrl(process.cwd()), options.table)
  const colors = process.stdout.isTTY === true && !process.env.NO_COLOR
  print(options.json ? `${JSON.stringify(found, null, 2)}\n` : describeStatus(found, { colors }))
  return found.ok ? 0 : 1
}

async function ui(args: string[]): Promise<number> {
  const options = parse(args, { port: text, host: text, token: text, table: text })
  const server = await startPage(await databaseUrl(process.cwd()), {
    ...options,
    onError: (error) => process.stderr.write(`${error}\n`),
  })
  print(server.greeting)
  await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
  await server.close()
  return 0
}

function parse<Options extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: Options) {
  try {
    return parseArgs({ args, options }).values
  } catch (cause) {
    throw misuse(cause instanceof Error ? cause.message : String(cause))
  }
}

function misuse(reason: string): UsageError {
  return new UsageError(`${reason}\n\n${usage}`.trimEnd())
}

function print(output: string): 0 {
  process.stdout.write(output)
  return 0
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  const known = error instanceof AuditError
  process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
