import express, { type ErrorRequestHandler, type Express } from 'express'
import { auditContext } from 'prisma-extension-audit/express'
import type { Database } from './database.ts'
import { exportOrders, orders } from './orders.ts'
import { authenticate, login, requireManager, requireUser } from './session.ts'

/** The order desk: a REST API on Express 5. */
export function createApp(db: Database): Express {
  const app = express()
  app.use(
    auditContext<express.Request>({
      actor: ({ user }) => user && { id: String(user.id), type: 'user', email: user.email },
    }),
  )
  app.use(express.json())
  app.use(authenticate)

  app.post('/login', login(db))
  app.use('/orders', requireUser, orders(db))
  app.get('/orders.csv', requireManager, async (_request, response) => {
    response.type('text/csv').send(await exportOrders(db))
  })

  const answerFailure: ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(500).json({ error: error instanceof Error ? error.name : 'Error' })
  }
  app.use(answerFailure)
  return app
}
