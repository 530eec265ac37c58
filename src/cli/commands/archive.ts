import { describeArchive, listArchive, printArchiveDdl, restoreArchived } from '../archive.ts'
import { configuredTable } from '../audit-config.ts'
import { command, flagOption, textOption } from '../command.ts'
import { jsonText, print } from '../output.ts'

export default command(
  { table: textOption, ddl: textOption, restore: textOption, json: flagOption },
  async ({ ddl, restore, json, ...options }) => {
    const directory = process.cwd()
    const table = await configuredTable(directory, options.table)
    if (ddl !== undefined) return print(await printArchiveDdl(directory, table, ddl))
    if (restore !== undefined) return print(await restoreArchived(directory, table, restore))
    const months = await listArchive(table)
    return print(json ? jsonText(months) : describeArchive(months))
  },
)
