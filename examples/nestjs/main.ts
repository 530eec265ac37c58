// A clinic on NestJS: npm run example:nestjs
import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { startDatabase, untilStopped } from '../shared/start.ts'
import { AppModule } from './app.module.ts'
import { openDatabase } from './database.ts'

const server = await startDatabase('nestjs')
const db = openDatabase(server.url)
const app = await NestFactory.create(AppModule.withDatabase(db), { logger: ['error'] })
await app.listen(Number(process.env.PORT ?? 3000))
untilStopped(
  await app.getUrl(),
  () => app.close(),
  () => db.$disconnect(),
  () => server.stop(),
)
