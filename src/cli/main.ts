#!/usr/bin/env node
import { runCommandLine } from './command-line.ts'

// whoever reads the output may have enough of it: … | head
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

process.exitCode = await runCommandLine(process.argv.slice(2))
