import { configuredTable } from '../audit-config.ts'
import { command, flagOption, textOption } from '../command.ts'
import { openExportFile } from '../export-file.ts'
import { note } from '../output.ts'
import { countedEntries } from '../quantity.ts'
import { parseSubject, reportFormats, writeReport } from '../report.ts'
import { reportForms } from '../report-forms.ts'
import { UsageError } from '../usage.ts'

export default command(
  {
    ...{ subject: textOption, format: textOption, output: textOption, table: textOption },
    ...{ force: flagOption, json: flagOption },
  },
  async ({ output, force, json, ...options }) => {
    const subject = parseSubject(options.subject)
    const format = reportFormats.find((one) => one === (options.format ?? (json ? 'json' : 'html')))
    if (!format) throw new UsageError(`--format: ${options.format} is not ${reportFormats.join(' or ')}.`)
    const table = await configuredTable(process.cwd(), options.table)
    const file = output === undefined ? undefined : await openExportFile(output, force ? 'overwrite' : 'new')
    try {
      const count = await writeReport(subject, file?.stream ?? process.stdout, reportForms[format], table)
      if (file) note(`${output}: ${countedEntries(count)}`)
    } catch (error) {
      await file?.abandon()
      throw error
    }
    await file?.close()
    return 0
  },
)
