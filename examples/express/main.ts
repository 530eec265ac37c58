// An order desk on Express 5: npm run example:express
import type { AddressInfo } from 'node:net'
import { startDatabase, untilStopped } from '../shared/start.ts'
import { createApp } from './app.ts'
import { openDatabase } from './database.ts'
import { writeHistory } from './history.ts'
import { seed } from './seed.ts'

const server = await startDatabase('express', writeHistory)
const db = openDatabase(server.url)
await seed(db)

const http = createApp(db).listen(Number(process.env.PORT ?? 3000), () => {
  const { port } = http.address() as AddressInfo
  untilStopped(
    `http://localhost:${port}`,
    { name: 'ada@example.com', password: 'ada' },
    () => http.close(),
    () => db.$disconnect(),
    () => server.stop(),
  )
})
