// A warehouse on FastAPI beside the order desk on Express, on one database: npm run example:fastapi
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { preparePython, pythonFolder } from '../../scripts/python-environment.ts'
import { createApp } from '../express/app.ts'
import { openDatabase } from '../express/database.ts'
import { writeHistory } from '../express/history.ts'
import { seed } from '../express/seed.ts'
import { startDatabase, untilStopped } from '../shared/start.ts'

const python = preparePython(['asyncpg', 'fastapi', 'uvicorn'])
const server = await startDatabase('express', writeHistory)
const db = openDatabase(server.url)
await seed(db)

const warehouse = await startWarehouse(await createRole(server.url))
const http = createApp(db).listen(Number(process.env.PORT ?? 3000), () => {
  const { port } = http.address() as AddressInfo
  untilStopped(
    `http://localhost:${port}`,
    { name: 'ada@example.com', password: 'ada' },
    () => stopped(warehouse),
    () => http.close(),
    () => db.$disconnect(),
    () => server.stop(),
  )
})

/** Makes the warehouse's role; gives the connection string with which it signs in. */
async function createRole(databaseUrl: string): Promise<string> {
  const password = randomUUID()
  const client = new pg.Client(databaseUrl)
  await client.connect()
  await client.query(await readFile(join(import.meta.dirname, 'role.sql'), 'utf8'))
  await client.query(`ALTER ROLE warehouse PASSWORD '${password}'`)
  await client.end()
  const url = new URL(databaseUrl)
  url.username = 'warehouse'
  url.password = password
  return url.toString()
}

async function startWarehouse(url: string): Promise<ChildProcess> {
  const port = process.env.WAREHOUSE_PORT ?? '3001'
  const child = spawn(python, ['-m', 'uvicorn', 'warehouse:app', '--port', port, '--log-level', 'warning'], {
    cwd: import.meta.dirname,
    env: { ...process.env, WAREHOUSE_DATABASE_URL: url, PYTHONPATH: pythonFolder },
    stdio: 'inherit',
  })
  const ended = once(child, 'exit').then(() => {
    throw new Error('The warehouse ended: see above.')
  })
  ended.catch(() => {}) // also when it is stopped at the end
  await Promise.race([ended, answers(`http://127.0.0.1:${port}/docs`)])
  process.stdout.write(`The warehouse is at http://localhost:${port}. Its key is let-me-count.\n`)
  return child
}

async function answers(url: string): Promise<void> {
  while (!(await fetch(url).catch(() => undefined))) await new Promise((resolve) => setTimeout(resolve, 50))
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}
