import { hashKey } from './app.ts'
import type { Database } from './database.ts'

export const crew = { id: 'crew', name: 'The crew' }

/** What the crew's API key opens. */
export const key = 'open sesame'

export const robot = { id: 'robot', name: 'The robot', hash: hashKey(key) }

/** Fills a database that somebody else made. One of the example's own comes with a past: see history.ts. */
export async function seed(db: Database): Promise<void> {
  const create = { ...crew, apiKeys: { create: robot } }
  await db.team.upsert({ where: { id: crew.id }, update: {}, create })
}
