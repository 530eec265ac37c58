import { command, flagOption, textOption } from '../command.ts'
import { describeKeys, writeKeys } from '../keygen.ts'
import { jsonText, print } from '../output.ts'

export default command(
  { output: textOption, json: flagOption },
  async ({ output = 'audit', json }, name) => {
    const keys = await writeKeys(name, output)
    return print(json ? jsonText(keys) : describeKeys(keys))
  },
  { count: 1, misuse: 'keygen takes the name of the key: keygen example.com/audit' },
)
