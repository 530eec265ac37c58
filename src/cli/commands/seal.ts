import { command, flagOption, textOption } from '../command.ts'
import { interruptedCode, untilInterrupted } from '../interruption.ts'
import { jsonText, note, print } from '../output.ts'
import { describeSealing, sealLog } from '../seal.ts'

export default command(
  { table: textOption, once: flagOption, tiles: textOption, json: flagOption },
  async ({ table, once = false, tiles, json }) => {
    const signal = untilInterrupted('SIGTERM')
    const result = await sealLog(process.cwd(), { table, once, tiles, signal }, note)
    print(json ? jsonText(result) : describeSealing(result))
    return once && signal.aborted ? interruptedCode : 0
  },
)
