import { type ParseArgsConfig, parseArgs } from 'node:util'
import { UsageError } from './usage.ts'

/**
 * A command: gets what is behind its name, and prints what it has to say.
 *
 * @returns the exit code: 0 fine, 1 not fine, 130 ended by Ctrl-C
 * @throws UsageError for arguments that it can't use
 */
export type Command = (args: string[]) => Promise<number>

type OptionsConfig = NonNullable<ParseArgsConfig['options']>

type ParsedArguments<Options extends OptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Options; allowPositionals: true }>
>

export const textOption = { type: 'string' } as const
export const flagOption = { type: 'boolean' } as const

/**
 * Makes a command of the options that it knows, and what it does with them.
 *
 * @param takes how many other arguments there have to be, and what is said where there are not. Default: none
 */
export function command<Options extends OptionsConfig>(
  options: Options,
  run: (values: ParsedArguments<Options>['values'], ...others: string[]) => Promise<number>,
  takes?: { readonly count: number; readonly misuse: string },
): Command {
  return async (args) => {
    const { values, positionals } = parseArguments(args, options)
    if (positionals.length !== (takes?.count ?? 0)) {
      throw new UsageError(takes?.misuse ?? `Unexpected argument: ${positionals[0]}`)
    }
    return run(values, ...positionals)
  }
}

function parseArguments<Options extends OptionsConfig>(
  args: string[],
  options: Options,
): ParsedArguments<Options> {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (cause) {
    throw new UsageError(firstSentence(cause))
  }
}

/** What `parseArgs` says, in one sentence. */
function firstSentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/(?<=.)\. .*$/s, '.')
}

/** A whole number from 1, given as an option. */
export function countOption(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UsageError(`--${option} must be a whole number from 1, and is ${JSON.stringify(text)}.`)
}

/** A month, such as 2024-03, given as an option. */
export function monthOption(option: string, text: string): string {
  if (/^\d{4}-(?:0[1-9]|1[0-2])$/.test(text)) return text
  throw new UsageError(`--${option} takes a month, such as 2024-03, and not ${JSON.stringify(text)}.`)
}
