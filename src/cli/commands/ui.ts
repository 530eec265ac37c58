import { configuredTable, loadAuditConfig } from '../audit-config.ts'
import { command, textOption } from '../command.ts'
import { retentionIn } from '../config-options.ts'
import { databaseUrl } from '../database-url.ts'
import { note, print } from '../output.ts'
import { startWebPage } from '../ui.ts'

export default command(
  { port: textOption, host: textOption, token: textOption, table: textOption },
  async (options) => {
    const directory = process.cwd()
    const server = await startWebPage(await databaseUrl(directory), {
      ...options,
      table: await configuredTable(directory, options.table),
      retention: retentionIn(await loadAuditConfig(directory)),
      onError: note,
    })
    print(server.greeting)
    await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
    await server.close()
    return 0
  },
)
