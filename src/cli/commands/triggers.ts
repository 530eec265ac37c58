import { command, flagOption, textOption } from '../command.ts'
import { jsonText, print } from '../output.ts'
import { writeFiles } from '../planned-files.ts'
import { describeCheck, describeTriggers, planTriggers, printTriggers } from '../triggers.ts'
import { UsageError } from '../usage.ts'

export default command(
  {
    table: textOption,
    schema: textOption,
    origin: flagOption,
    check: flagOption,
    print: flagOption,
    json: flagOption,
  },
  async ({ check, print: isPrinting, json, ...options }) => {
    const given = { ...options, directory: process.cwd() }
    if (isPrinting) {
      if (check || json) throw new UsageError('--print goes without --check and --json.')
      return print(await printTriggers(given))
    }
    const plan = await planTriggers(given)
    const { changes, notes } = plan
    const ok = changes.length === 0
    if (check) {
      print(json ? jsonText({ ok, changes, notes }) : describeCheck(plan))
      return ok ? 0 : 1
    }
    await writeFiles(plan.writes)
    const written = plan.writes.map(({ path }) => path)
    return print(json ? jsonText({ written, changes, notes }) : describeTriggers(plan))
  },
)
