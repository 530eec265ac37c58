import { randomUUID } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import { History, type Who } from '../shared/history.ts'
import { hashKey } from './app.ts'
import { PrismaClient } from './generated/client/client.ts'
import { crew, robot } from './seed.ts'

const days = 30
const tags = ['team', 'today', 'travel']
const calendar = { id: 'calendar', name: 'The calendar', hash: hashKey(randomUUID()) }

const system: Who = { actor: { id: 'system', type: 'system' } }
const byKey = (id: string, ip: string): Who => ({
  actor: { id, type: 'api_key' },
  ip,
  organizationId: crew.id,
})
const theRobot = byKey(robot.id, '198.51.100.7')
const theCalendar = byKey(calendar.id, '198.51.100.8')

/**
 * A month of the crew: the team, its keys and the tags, in the tables and in the log, and the log of notes that have been
 * deleted since.
 */
export async function writeHistory(url: string): Promise<void> {
  const history = new History()
  history.at(days + 1, '08:00', { ...system, organizationId: crew.id }, () => {
    history.create('team', crew.id, crew)
    for (const key of [robot, calendar]) {
      history.create('apiKey', key.id, { ...key, hash: '[redacted]', teamId: crew.id })
    }
    for (const name of tags) history.create('tag', name, { name })
  })
  for (let daysAgo = days; daysAgo > 1; daysAgo--) oneDay(history, daysAgo)
  // before triggers record the tables, and without withAudit: the history has these rows already
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
  await prisma.team.create({ data: { ...crew, apiKeys: { create: [robot, calendar] } } })
  await prisma.tag.createMany({ data: tags.map((name) => ({ name })) })
  await prisma.$disconnect()
  await history.write(url)
}

function oneDay(history: History, daysAgo: number): void {
  const id = randomUUID()
  const other = tags[daysAgo % 2 === 0 ? 1 : 2] as string
  const links = (verb: 'connect' | 'disconnect', cause?: object) => {
    for (const tag of ['team', other]) {
      const note = { relation: 'tags', target: { type: 'tag', id: tag }, ...cause }
      history.event(`note.${verb}`, { resource: { type: 'note', id }, details: note })
      const back = { relation: 'notes', target: { type: 'note', id }, ...cause }
      history.event(`tag.${verb}`, { resource: { type: 'tag', id: tag }, details: back })
    }
  }
  history.at(daysAgo, '07:30', theCalendar, () => {
    history.create('note', id, { id, title: 'Stand-up', text: 'who is in?', teamId: crew.id })
    links('connect')
  })
  history.at(daysAgo, '09:45', theRobot, () =>
    history.update('note', id, { text: `${2 + (daysAgo % 4)} are in` }),
  )
  if (daysAgo % 5 === 0) {
    history.at(daysAgo, '09:50', { ...theCalendar, reason: 'moved by a day' }, () =>
      history.update('note', id, { title: 'Stand-up, tomorrow' }),
    )
  }
  history.at(daysAgo - 1, '06:00', theRobot, () => {
    links('disconnect', { cause: 'note.delete' })
    history.delete('note', id)
  })
}
