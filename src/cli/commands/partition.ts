import { configuredTable } from '../audit-config.ts'
import { command, flagOption, textOption } from '../command.ts'
import { planInit } from '../init.ts'
import { convertProjectLog } from '../maintain.ts'
import { note, print } from '../output.ts'
import { UsageError } from '../usage.ts'
import { carryOut } from './init.ts'

export default command(
  { table: textOption, schema: textOption, convert: flagOption, 'dry-run': flagOption },
  async ({ convert, 'dry-run': dryRun = false, ...options }) => {
    const directory = process.cwd()
    if (convert) {
      if (dryRun || options.schema) throw new UsageError('--convert goes without --dry-run and --schema.')
      return print(await convertProjectLog(directory, await configuredTable(directory, options.table), note))
    }
    const plan = await planInit({ ...options, directory, triggers: false, partitioned: true })
    return carryOut(plan, { dryRun })
  },
)
