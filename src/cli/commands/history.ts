import { configuredTable } from '../audit-config.ts'
import { command, countOption, flagOption, textOption } from '../command.ts'
import { readHistory } from '../history.ts'
import { note, printEntry } from '../output.ts'

export default command(
  { table: textOption, limit: textOption, json: flagOption },
  async ({ json, ...options }, model, id) => {
    const limit = countOption('limit', options.limit, 50)
    const table = await configuredTable(process.cwd(), options.table)
    for (const entry of await readHistory(model, id, { table, limit }, note)) printEntry(entry, json)
    return 0
  },
  { count: 2, misuse: 'history takes a model and an id: history User 42' },
)
