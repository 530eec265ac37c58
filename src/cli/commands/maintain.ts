import { configuredTable } from '../audit-config.ts'
import { command, flagOption, textOption } from '../command.ts'
import { untilInterrupted } from '../interruption.ts'
import { describeMaintenance, maintainProjectLog } from '../maintain.ts'
import { jsonText, note, print } from '../output.ts'

export default command(
  { table: textOption, since: textOption, 'dry-run': flagOption, json: flagOption },
  async ({ since, 'dry-run': isDryRun = false, json, ...options }) => {
    const table = await configuredTable(process.cwd(), options.table)
    const given = { table, isDryRun, since, signal: untilInterrupted('SIGTERM') }
    const actions = await maintainProjectLog(process.cwd(), given, note)
    return print(json ? jsonText({ isDryRun, actions }) : describeMaintenance(actions, { isDryRun }))
  },
)
