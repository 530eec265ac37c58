import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The Python package. */
export const pythonFolder = join(import.meta.dirname, '..', 'python')

const environment = join(pythonFolder, '.venv')

/**
 * The interpreter of python/.venv, a virtual environment that sees the packages of the system (Debian has nearly all) and gets
 * from an index what is missing. It is made of `PYTHON`, by default /usr/bin/python3 where that is.
 *
 * @param packages by their names, as python/pyproject.toml has them for the tests; by default, all of those
 */
export function preparePython(packages: readonly string[] = []): string {
  const python = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  if (!existsSync(python)) {
    const system = process.env.PYTHON ?? (existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3')
    must(
      run(system, ['-m', 'venv', '--system-site-packages', environment]),
      `${system} can't make a virtual environment. On Debian: apt-get install python3-venv.`,
    )
  }
  const { status, stdout, stderr } = spawnSync(python, ['tests/missing.py', ...packages], {
    cwd: pythonFolder,
    encoding: 'utf8',
  })
  must(status === 0, stderr)
  const missing = stdout.split(/\r?\n/).filter((line) => line !== '')
  if (missing.length > 0) {
    process.stderr.write(`Installing ${missing.join(', ')}\n`)
    must(
      run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...missing]),
      `${missing.join(', ')} could not be installed. Give pip an index, or install them for ${python}.`,
    )
  }
  return python
}

/** Whether the environment has a package, which is installed where an index brings it. */
export function hasPackage(name: string): boolean {
  try {
    preparePython([name])
    return true
  } catch {
    return false
  }
}

function run(command: string, args: readonly string[]): boolean {
  // what it prints is not the output of what needs it
  return spawnSync(command, args, { stdio: ['ignore', 2, 2] }).status === 0
}

function must(done: boolean, problem: string): void {
  if (!done) throw new Error(problem)
}
