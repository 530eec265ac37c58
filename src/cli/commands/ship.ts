import { command, flagOption, textOption } from '../command.ts'
import { interruptedCode, untilInterrupted } from '../interruption.ts'
import { jsonText, note, print } from '../output.ts'
import { describeMetrics, shipLog } from '../ship.ts'

export default command(
  { table: textOption, once: flagOption, json: flagOption },
  async ({ table, once = false, json }) => {
    const signal = untilInterrupted('SIGTERM')
    const metrics = await shipLog(process.cwd(), { table, once, signal }, note)
    print(json ? jsonText(metrics) : describeMetrics(metrics))
    return once && metrics.some(({ lag }) => lag.entries > 0) ? interruptedCode : 0
  },
)
