// The audit log at work, in one command: npm run demo
import { join } from 'node:path'
import { startEmbedded } from '../../scripts/postgres.ts'
import { applyMigrations } from '../../scripts/schema-engine.ts'
import { openAtlas } from './atlas.ts'
import { badEdits, goodEdits } from './edits.ts'
import { importWorld } from './import-world.ts'
import { untilInterrupted } from './interruption.ts'
import { printLife } from './print-life.ts'
import { printLog } from './print-log.ts'
import { editWithPsql } from './psql.ts'
import { handle } from './request.ts'
import { count, paint, print, printHeading, printStep, secondsSince } from './terminal.ts'

const migrations = join(import.meta.dirname, 'prisma', 'migrations')
const begin = performance.now()

printHeading('prisma-extension-audit', 'an atlas of the world, and a record of everything that happens to it')
const server = await startEmbedded('18')
const prisma = openAtlas(server.url)

const exitCode = await untilInterrupted(tellTheStory).finally(async () => {
  await prisma.$disconnect()
  await server.stop()
})
process.exit(exitCode)

async function tellTheStory(): Promise<void> {
  printStep(true, `Started ${server.origin}`, secondsSince(begin))
  const applied = await applyMigrations(server.url, migrations)
  printStep(true, `Applied the migrations ${applied.join(', ')}`, secondsSince(begin))
  await importWorld(prisma)
  printStep(true, `Imported ${await describe()}`, secondsSince(begin))

  printHeading(
    'Two people edit the atlas, and somebody with psql',
    'a line for each request, with the entries that it left',
  )
  for (const edit of goodEdits(prisma)) await handle(prisma, edit)
  await editWithPsql(prisma, server.url)

  printHeading('Edits that fail', 'change nothing, and the log keeps that they were tried')
  for (const edit of badEdits(prisma)) await handle(prisma, edit)

  await printLog(prisma)
  await printLife(prisma, 'country', 'CV')

  const total = count(await prisma.auditLog.count(), 'entry', 'entries')
  print()
  print(paint('bold', `${total} in ${secondsSince(begin)}`))
}

async function describe(): Promise<string> {
  const countries = count(await prisma.country.count(), 'country', 'countries')
  const languages = count(await prisma.language.count(), 'language', 'languages')
  const currencies = count(await prisma.currency.count(), 'currency', 'currencies')
  return `${countries}, ${languages}, ${currencies} and all their links`
}
