import { expect, it, vi } from 'vitest'
import { commands, runCommandLine } from '../../src/cli/command-line.ts'
import { documentedCommands, helpOf, usage } from '../../src/cli/help.ts'

/** What a command line prints. */
async function run(...args: string[]) {
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const code = await runCommandLine(args)
  const printed = { code, stdout: stdout.mock.calls.join(''), stderr: stderr.mock.calls.join('') }
  vi.restoreAllMocks()
  return printed
}

it('every command has help', () => {
  expect(documentedCommands.toSorted()).toEqual(Object.keys(commands).sort())
})

it('--help behind a command prints its part only, before and behind other options', async () => {
  const help = helpOf('maintain') ?? ''
  for (const args of [
    ['maintain', '--help'],
    ['maintain', '--dry-run', '-h'],
  ])
    expect(await run(...args)).toEqual({ code: 0, stdout: help, stderr: '' })
  expect(help).toMatch(/^Usage: prisma-extension-audit maintain \[options\]\n\nCreate the months that come/)
  expect(help).toContain('\n  --dry-run                      Say what would be done, do nothing\n')
  expect(help).not.toContain('--anchor')
})

it('--help without a command, or before one, prints what there is', async () => {
  for (const args of [['--help'], ['-h'], ['--help', 'maintain'], ['nonsense', '--help']])
    expect(await run(...args)).toEqual({ code: 0, stdout: usage, stderr: '' })
  for (const name of documentedCommands) expect(usage).toContain(`\n  ${name}`)
})

it.each(documentedCommands)('%s knows every option that its help names', async (name) => {
  const named = [...(helpOf(name) ?? '').matchAll(/^ {2}(-\S.*?)(?: {2}|$)/gm)].flatMap(
    ([, text = '']) => text.match(/--[\w-]+/g) ?? [],
  )
  expect(named.length).toBeGreaterThan(0)
  const unknown = []
  for (const option of named) {
    const { stderr } = await run(name, option, '--bogus')
    if (stderr.includes(`'${option}'`) && stderr.startsWith('Unknown')) unknown.push(option)
  }
  expect(unknown).toEqual([])
})

it('lines are no longer than a terminal of 130 characters', () => {
  const texts = [usage, ...documentedCommands.map((name) => helpOf(name) ?? '')]
  expect(texts.flatMap((text) => text.split('\n')).filter((line) => line.length > 130)).toEqual([])
})
