import { createHash } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { HTTPException } from 'hono/http-exception'
import { auditContext } from 'prisma-extension-audit/hono'
import { auditPage } from 'prisma-extension-audit/ui'
import type { Database } from './database.ts'

interface ApiKey {
  readonly id: string
  readonly teamId: string
}

type Env = { Variables: { apiKey: ApiKey } }

export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

/** Notes of teams: an API on Hono for programs with API keys, and for people the log of their team. */
export function createApp(db: Database): Hono<Env> {
  const app = new Hono<Env>()
  app.use(
    auditContext<Context<Env>>({
      actor: (context) => {
        const apiKey = context.get('apiKey')
        return apiKey && { id: apiKey.id, type: 'api_key' }
      },
      organizationId: (context) => context.get('apiKey')?.teamId,
    }),
  )

  /** The key of a name and a secret that belong together. */
  const findKey = async (secret: string, id?: string) =>
    (await db.apiKey.findUnique({ where: { hash: hashKey(secret), ...(id !== undefined && { id }) } })) ??
    undefined

  app.get('/', (context) => context.redirect('/audit'))

  // a browser asks for the name of a key and the key
  const signIn = basicAuth({
    async verifyUser(id, secret, context: Context<Env>) {
      const apiKey = await findKey(secret, id)
      if (apiKey) context.set('apiKey', apiKey)
      return apiKey !== undefined
    },
  })
  app.get('/audit/*', signIn, (context) => {
    const { teamId } = context.get('apiKey')
    return auditPage(db, { basePath: '/audit', filter: { organizationId: teamId } })(context.req.raw)
  })

  app.use('/notes/*', async (context, next) => {
    const apiKey = await findKey(context.req.header('x-api-key') ?? '')
    if (!apiKey) return context.json({ error: 'Give a valid x-api-key' }, 401)
    context.set('apiKey', apiKey)
    await next()
  })

  app.get('/notes', async (context) => {
    const { teamId } = context.get('apiKey')
    return context.json(await db.note.findMany({ where: { teamId }, include: { tags: true } }))
  })

  app.post('/notes', async (context) => {
    const {
      title,
      text,
      tags = [],
    } = await context.req.json<{ title: string; text: string; tags?: string[] }>()
    const note = await db.note.create({
      data: {
        title,
        text,
        teamId: context.get('apiKey').teamId,
        tags: { connectOrCreate: tags.map((name) => ({ where: { name }, create: { name } })) },
      },
      include: { tags: true },
    })
    return context.json(note, 201)
  })

  app.patch('/notes/:id', async (context) => {
    const { teamId } = context.get('apiKey')
    const data = await context.req.json<{ title?: string; text?: string }>()
    return context.json(await db.note.update({ where: { id: context.req.param('id'), teamId }, data }))
  })

  app.delete('/notes/:id', async (context) => {
    const { teamId } = context.get('apiKey')
    await db.note.delete({ where: { id: context.req.param('id'), teamId } })
    return context.body(null, 204)
  })

  /** What a note said at a time, such as before somebody else rewrote it. */
  app.get('/notes/:id/at/:time', async (context) => {
    const { id, time } = context.req.param()
    const note = await db.$audit.stateAt('Note', id, new Date(time))
    return note && note.teamId === context.get('apiKey').teamId
      ? context.json(note)
      : context.json({ error: 'There was no such note' }, 404)
  })

  app.onError((error, context) =>
    // such as the one by which a browser asks for a name and a password
    error instanceof HTTPException ? error.getResponse() : context.json({ error: error.name }, 500),
  )
  return app
}
