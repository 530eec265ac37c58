import { command, flagOption, textOption } from '../command.ts'
import { describePlan, type InitPlan, planInit } from '../init.ts'
import { print } from '../output.ts'
import { writeFiles } from '../planned-files.ts'

export default command(
  {
    table: textOption,
    model: textOption,
    schema: textOption,
    origin: flagOption,
    partitioned: flagOption,
    'no-triggers': flagOption,
    'dry-run': flagOption,
  },
  async ({ 'no-triggers': withoutTriggers = false, 'dry-run': dryRun = false, ...options }) => {
    const plan = await planInit({ ...options, directory: process.cwd(), triggers: !withoutTriggers })
    return carryOut(plan, { dryRun })
  },
)

/** Writes what was planned, unless it is only to be shown, and says what. */
export async function carryOut(plan: InitPlan, { dryRun }: { dryRun: boolean }): Promise<number> {
  if (!dryRun) await writeFiles(plan.writes)
  return print(describePlan(plan, { contents: dryRun }))
}
