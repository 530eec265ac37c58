import express, { type ErrorRequestHandler, type Express } from 'express'
import { auditContext } from 'prisma-extension-audit/express'
import { auditPage, toNodeHandler } from 'prisma-extension-audit/ui'
import type { Database } from './database.ts'
import { exportOrders, orders } from './orders.ts'
import { authenticate, login, loginPage, requireManager, requireUser } from './session.ts'

/** The order desk: a REST API on Express 5, and the log's page for managers. */
export function createApp(db: Database): Express {
  const app = express()
  app.use(
    auditContext<express.Request>({
      actor: ({ user }) => user && { id: String(user.id), type: 'user', email: user.email },
    }),
  )
  app.use(express.json(), express.urlencoded())
  app.use(authenticate)

  app.get('/', (request, response) => response.redirect(request.user ? '/audit' : '/login'))
  app.get('/login', loginPage)
  app.post('/login', login(db))
  app.use('/orders', requireUser, orders(db))
  app.get('/orders.csv', requireUser, requireManager, async (_request, response) => {
    response.type('text/csv').send(await exportOrders(db))
  })

  // it shows everything that ever happened: whoever may not see that must not get here
  app.use('/audit', requireUser, requireManager, toNodeHandler(auditPage(db)))

  const answerFailure: ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(500).json({ error: error instanceof Error ? error.name : 'Error' })
  }
  app.use(answerFailure)
  return app
}
