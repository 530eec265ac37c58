// Notes of teams on Hono: npm run example:hono
import { serve } from '@hono/node-server'
import { startDatabase, untilStopped } from '../shared/start.ts'
import { createApp, hashKey } from './app.ts'
import { openDatabase } from './database.ts'

const server = await startDatabase('hono')
const db = openDatabase(server.url)
await db.team.upsert({
  where: { id: 'crew' },
  update: {},
  create: {
    id: 'crew',
    name: 'The crew',
    apiKeys: { create: { id: 'robot', name: 'The robot', hash: hashKey('open sesame') } },
  },
})

const http = serve({ fetch: createApp(db).fetch, port: Number(process.env.PORT ?? 3000) }, ({ port }) =>
  untilStopped(
    `http://localhost:${port}`,
    () => http.close(),
    () => db.$disconnect(),
    () => server.stop(),
  ),
)
