import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { built } from '../support/built.ts'

/** A Prisma project in a temporary folder of the calling test's own. */
export interface Project {
  readonly directory: string
  read(path: string): Promise<string>
  /** Every file with its text. */
  snapshot(): Promise<Record<string, string>>
}

export async function createProject(files: Record<string, string>): Promise<Project> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-cli-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
  const read = (path: string) => readFile(join(directory, path), 'utf8')
  return {
    directory,
    read,
    snapshot: async () => {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true })
      const paths = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
      return Object.fromEntries(
        await Promise.all(paths.sort().map(async (path) => [path, await read(path)] as const)),
      )
    },
  }
}

/** A schema whose datasource lists `schemas`, or none. */
export function datasource(...schemas: string[]): string {
  const list = schemas.length === 0 ? '' : `  schemas  = ${JSON.stringify(schemas)}\n`
  return `datasource db {\n  provider = "postgresql"\n${list}}\n`
}

/** The command line, as users run it. */
export const commandLine = () => built('cli/main.js')

/** Runs the command line in a process of its own. */
export function runCli(
  args: string[],
  options: { cwd?: string; env?: Record<string, string | undefined> } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return runNode([commandLine(), ...args], options)
}

/** Runs a script of Node in a process of its own. */
export function runNode(
  args: string[],
  options: { cwd?: string; env?: Record<string, string | undefined> } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, { cwd: options.cwd, env: { ...process.env, ...options.env } })
    const output = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output.stderr += text
    })
    child.on('error', fail).on('close', (code) => done({ code, ...output }))
  })
}
