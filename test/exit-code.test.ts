import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

// an embedded server once turned every failed run into a passed one
it.each([0, 3])('a process that started an embedded server ends with its own exit code, %d', async (code) => {
  const script = `
    import { startEmbedded } from './scripts/postgres.ts'
    const server = await startEmbedded('18')
    await server.stop()
    process.exitCode = ${code}`
  const run = promisify(execFile)('node', ['--import', 'tsx', '--input-type=module', '--eval', script])
  const ended = await run.then(
    ({ stderr }) => ({ code: 0, stderr }),
    (error: { code: number; stderr: string }) => ({ code: error.code, stderr: error.stderr }),
  )
  expect(ended).toEqual({ code, stderr: '' })
})
