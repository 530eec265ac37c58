import { configuredTable } from '../audit-config.ts'
import { command, flagOption, textOption } from '../command.ts'
import { exportEntries, exportFormats } from '../export.ts'
import { openExportFile } from '../export-file.ts'
import { filterOf, filterOptions } from '../filter-options.ts'
import { interruptedCode, untilInterrupted } from '../interruption.ts'
import { note } from '../output.ts'
import { progressBar } from '../progress-bar.ts'
import { UsageError } from '../usage.ts'

export default command(
  { ...filterOptions, format: textOption, output: textOption, force: flagOption, cursor: textOption },
  async (options) => {
    const { cursor, format: wanted = options.json ? 'ndjson' : 'csv' } = options
    const format = exportFormats.find((one) => one === wanted)
    if (!format) {
      throw new UsageError(
        `--format must be ${exportFormats.join(' or ')}, and is ${JSON.stringify(wanted)}.`,
      )
    }
    const table = await configuredTable(process.cwd(), options.table)
    const mode = cursor !== undefined ? 'continue' : options.force ? 'overwrite' : 'new'
    const file = options.output ? await openExportFile(options.output, mode) : undefined
    const bar = progressBar(process.stderr)
    const empty: string[] = []
    const done = await exportEntries(filterOf(options), file?.stream ?? process.stdout, {
      ...{ table, cursor, format, signal: untilInterrupted() },
      onProgress: bar.update,
      onEmpty: (text) => empty.push(text),
    }).catch(async (error: unknown) => {
      await file?.abandon()
      throw error
    })
    bar.end()
    empty.forEach(note)
    await file?.close()
    if (done.cursor === null) return 0
    note(`Stopped after ${done.written} entries. Go on with: --cursor ${done.cursor}`)
    return interruptedCode
  },
)
