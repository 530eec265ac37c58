// Notes of teams on Hono: npm run example:hono
import { serve } from '@hono/node-server'
import { startDatabase, untilStopped } from '../shared/start.ts'
import { createApp } from './app.ts'
import { openDatabase } from './database.ts'
import { writeHistory } from './history.ts'
import { key, robot, seed } from './seed.ts'

const server = await startDatabase('hono', writeHistory)
const db = openDatabase(server.url)
await seed(db)

const http = serve({ fetch: createApp(db).fetch, port: Number(process.env.PORT ?? 3000) }, ({ port }) =>
  untilStopped(
    `http://localhost:${port}`,
    { name: robot.id, password: key },
    () => http.close(),
    () => db.$disconnect(),
    () => server.stop(),
  ),
)
