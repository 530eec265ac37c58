import { configuredTable } from '../audit-config.ts'
import { command, countOption, textOption } from '../command.ts'
import { filterOf, filterOptions } from '../filter-options.ts'
import { untilInterrupted } from '../interruption.ts'
import { note, printEntry } from '../output.ts'
import { tail } from '../tail.ts'

export default command(
  { ...filterOptions, follow: { type: 'boolean', short: 'f' }, limit: textOption },
  async ({ json, follow = false, limit, ...options }) => {
    const table = await configuredTable(process.cwd(), options.table)
    const count = countOption('limit', limit, 10)
    const signal = untilInterrupted()
    const given = { table, count, follow, signal }
    await tail(filterOf(options), given, (entry) => printEntry(entry, json), note)
    return 0
  },
)
