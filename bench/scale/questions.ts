import { type AuditPage, withAudit } from 'prisma-extension-audit'
import { connectionTo } from '../../src/ui/data/read-connection.ts'
import { sqlLogReader } from '../../src/ui/data/sql-log-reader.ts'
import { ordinaryAdapter } from '../clients.ts'
import { PrismaClient } from '../generated/client/client.ts'

/** Somebody who asks a log that {@link fillScale} has filled: by the helpers of `$audit`, and by the web page. */
export interface Asker {
  readonly questions: Readonly<Record<string, () => Promise<unknown>>>
  stop(): Promise<void>
}

const limit = 20
const day = 86_400_000

export async function createAsker(url: string, entries: number): Promise<Asker> {
  const client = withAudit(new PrismaClient({ adapter: ordinaryAdapter(url) }))
  const { $audit: audit } = client
  const connection = connectionTo(url)
  const reader = sqlLogReader(connection, { name: 'audit_logs' })
  const [newest] = (await audit.activity('ada', { limit: 1 })).entries
  const [old] = (await audit.activity('gone', { limit: 1 })).entries
  const cursor = await cursorOfPage(100, (at) => audit.history('Order', 42, { limit, cursor: at }))
  const twoYearsAgo = new Date(Date.now() - 730 * day)
  const questions = {
    'history, very many entries': () => audit.history('Order', 42, { limit }),
    'history, very many entries, 100th page': () => audit.history('Order', 42, { limit, cursor }),
    'history, an entry a month': () => audit.history('Order', 7, { limit }),
    'history, eight in all months': () => audit.history('Order', 8, { limit }),
    'history, five in an old month': () => audit.history('Order', 9, { limit }),
    'history, five in this month': () => audit.history('Order', 10, { limit }),
    'history, none': () => audit.history('Order', 11, { limit }),
    'accesses, none': () => audit.accesses('Order', 8, { limit }),
    'activity, a busy actor': () => audit.activity('ada', { limit }),
    'activity, an actor who left': () => audit.activity('gone', { limit }),
    'search, an action': () => audit.search({ action: 'order.update' }, { limit }),
    'search, an organization': () => audit.search({ organizationId: 'organization-7' }, { limit }),
    'search, an actor and an action': () =>
      audit.search({ actor: 'actor-7', action: 'user.login' }, { limit }),
    'search, an actor and a field': () => audit.search({ actor: 'ada', changed: 'status' }, { limit }),
    'search, a model': () => audit.search({ resource: 'order' }, { limit }),
    'search, a day two years ago': () =>
      audit.search({ from: twoYearsAgo, to: new Date(twoYearsAgo.getTime() + day) }, { limit }),
    'failed logins, the last day': () => audit.failedLogins({ since: new Date(Date.now() - day) }, { limit }),
    exports: () => audit.exports({}, { limit }),
    'stateAt, two years ago': () => audit.stateAt('Order', 7, twoYearsAgo),
    'stateAt, before the log': () => audit.stateAt('Order', 7, new Date(Date.now() - 3_000 * day)),
    'page: the list': () => reader.page({}, { limit: 50 }),
    'page: an entry, new': () => reader.entry(newest?.id ?? ''),
    'page: an entry, old': () => reader.entry(old?.id ?? ''),
    'page: the record view': () => reader.page({ resourceType: 'order', resourceId: '8' }, { limit: 50 }),
    'page: counts of a record': () => reader.activity({ resourceType: 'order', resourceId: '9' }, 60),
    'page: counts of an actor who left': () => reader.activity({ actorId: 'gone' }, 60),
    'page: counts of everything': () => reader.activity({}, 60),
    'page: failed logins, the last day': () =>
      reader.failedLogins({ from: new Date(Date.now() - day).toISOString(), to: undefined }),
    'page: values to choose from': () => reader.overview(),
    // no index has it: the whole log is read
    ...(entries <= 1_000_000 && {
      'search, a request': () => audit.search({ requestId: 'request-77' }, { limit }),
    }),
  }
  return {
    questions,
    stop: async () => {
      await client.$disconnect()
      await connection.close()
    },
  }
}

async function cursorOfPage(
  number: number,
  read: (cursor: string | undefined) => Promise<AuditPage>,
): Promise<string | undefined> {
  let cursor: string | undefined
  for (let page = 1; page < number; page++) {
    const { nextCursor } = await read(cursor)
    if (nextCursor === null) break
    cursor = nextCursor
  }
  return cursor
}
