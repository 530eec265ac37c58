import type { PrismaClient } from '../generated/client/client.ts'
import type { Database } from './database.ts'
import { unique } from './unique.ts'

/** The shortest write there is: one row of one table. */
export const createTag = (client: { tag: PrismaClient['tag'] }, name = unique('tag')) =>
  client.tag.create({ data: { name } })

/** Whether a tag of that name is in the database. */
export async function tagExists(database: Database, name: string): Promise<boolean> {
  return (await database.sql('SELECT FROM "Tag" WHERE name = $1', [name])).length > 0
}
