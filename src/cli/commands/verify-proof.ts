import { command, flagOption, textOption } from '../command.ts'
import { jsonText, print } from '../output.ts'
import { describeProof, verifyProof } from '../verify.ts'

export default command(
  { key: textOption, json: flagOption },
  async ({ key, json }, file) => {
    const checked = await verifyProof(process.cwd(), file, key)
    if (!json) print(describeProof(checked))
    else if (!checked.ok) print(jsonText(checked))
    else {
      const { entry, index, checkpoint, signedBy } = checked
      print(
        jsonText({
          ...{ ok: true, index, entry, signedBy: `${signedBy.name}+${signedBy.id}` },
          checkpoint: { ...checkpoint, root: checkpoint.root.toString('base64') },
        }),
      )
    }
    return checked.ok ? 0 : 1
  },
  { count: 1, misuse: 'verify-proof takes a file: verify-proof entry.json --key audit.pub' },
)
