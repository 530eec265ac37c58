import { configuredTable } from '../audit-config.ts'
import { command, flagOption, textOption } from '../command.ts'
import { databaseUrl } from '../database-url.ts'
import { hasColors, jsonText, print } from '../output.ts'
import { describeStatus, readStatus, wantedTriggers } from '../status.ts'

export default command(
  { table: textOption, schema: textOption, check: flagOption, json: flagOption },
  async ({ schema, check = false, json, ...options }) => {
    const directory = process.cwd()
    const table = await configuredTable(directory, options.table)
    const wanted = await wantedTriggers(directory, { table, schema, areRequired: check })
    const found = await readStatus(await databaseUrl(directory), table, wanted)
    print(json ? jsonText(found) : describeStatus(found, { colors: hasColors() }))
    return found.ok ? 0 : 1
  },
)
