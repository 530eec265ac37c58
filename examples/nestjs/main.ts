// A clinic on NestJS: npm run example:nestjs
import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import type { Request, Response } from 'express'
import { auditPage, toNodeHandler } from 'prisma-extension-audit/ui'
import { startDatabase, untilStopped } from '../shared/start.ts'
import { AppModule } from './app.module.ts'
import { openDatabase } from './database.ts'
import { writeHistory } from './history.ts'
import { password, requireDoctor } from './staff.guard.ts'

const server = await startDatabase('nestjs', writeHistory)
const db = openDatabase(server.url)
const app = await NestFactory.create(AppModule.withDatabase(db), { logger: ['error'] })
app.use('/audit', requireDoctor, toNodeHandler(auditPage(db)))
app.getHttpAdapter().get('/', (_request: Request, response: Response) => response.redirect('/audit'))
await app.listen(Number(process.env.PORT ?? 3000))
untilStopped(
  await app.getUrl(),
  { name: 'dr-kim', password },
  () => app.close(),
  () => db.$disconnect(),
  () => server.stop(),
)
