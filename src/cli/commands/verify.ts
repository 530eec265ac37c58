import { configuredTable } from '../audit-config.ts'
import { command, countOption, flagOption, textOption } from '../command.ts'
import { interruptedCode, untilInterrupted } from '../interruption.ts'
import { jsonText, note, print } from '../output.ts'
import { progressBar } from '../progress-bar.ts'
import { storeResult } from '../store-result.ts'
import { describeVerification, verifyProject } from '../verify.ts'

export default command(
  {
    table: textOption,
    key: textOption,
    origin: textOption,
    since: textOption,
    anchor: { type: 'string', multiple: true },
    json: flagOption,
  },
  async ({ key, origin, json, anchor: anchors = [], ...options }) => {
    const since = options.since === undefined ? undefined : countOption('since', options.since, 0)
    const bar = progressBar(process.stderr)
    const table = await configuredTable(process.cwd(), options.table)
    const began = performance.now()
    const found = await verifyProject(process.cwd(), {
      table,
      ...{ key, origin, anchors, signal: untilInterrupted() },
      ...(since === undefined ? {} : { since }),
      onProgress: ({ done, total }) => bar.update({ written: done, fraction: done / Math.max(total, 1) }),
    })
    bar.end()
    print(json ? jsonText(found) : describeVerification(found))
    const notStored = await storeResult(process.cwd(), table, found, (performance.now() - began) / 1000)
    if (notStored !== undefined) note(notStored)
    if (!found.ok) return 1
    if (found.isComplete) return 0
    const { verifiedUntil } = found
    note(
      verifiedUntil
        ? `Stopped. Go on with: --since ${verifiedUntil.number}`
        : 'Stopped before the first checkpoint',
    )
    return interruptedCode
  },
)
