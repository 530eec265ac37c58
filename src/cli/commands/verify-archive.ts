import { command, flagOption, textOption } from '../command.ts'
import { interruptedCode, untilInterrupted } from '../interruption.ts'
import { hasColors, jsonText, note, print } from '../output.ts'
import { progressBar } from '../progress-bar.ts'
import { describeArchives, verifyArchives } from '../verify-archive.ts'

export default command(
  { table: textOption, sink: textOption, json: flagOption },
  async ({ table, sink, json }) => {
    const signal = untilInterrupted()
    const bar = progressBar(process.stderr)
    try {
      const found = await verifyArchives(process.cwd(), {
        ...{ table, sink, signal },
        onProgress: ({ entries, fraction }) => bar.update({ written: entries, fraction }),
      })
      bar.end()
      print(json ? jsonText(found) : describeArchives(found, { colors: hasColors() }))
      return found.ok ? 0 : 1
    } catch (error) {
      bar.end()
      if (!signal.aborted) throw error
      note('Stopped. Nothing is known of what was not compared.')
      return interruptedCode
    }
  },
)
