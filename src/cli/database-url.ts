import { AuditError } from '../errors.ts'
import { loadPrismaConfig } from './prisma-config.ts'

/**
 * The database to ask: `DATABASE_URL`, else the `datasource.url` of the project's `prisma.config.ts`, which may be
 * the one place that loads a `.env`.
 *
 * @throws AuditError `AUDIT_CLI` when neither is set, or what is set is no URL of a PostgreSQL database
 */
export async function databaseUrl(directory: string): Promise<string> {
  const given = process.env.DATABASE_URL
  const url = given || (await loadPrismaConfig(directory)).datasource?.url
  if (url) return postgresUrl(url, given ? 'DATABASE_URL' : 'The datasource.url of the Prisma config')
  throw new AuditError(
    'AUDIT_CLI',
    'DATABASE_URL is not set, so there is no database to ask. Set it to the connection string of your application.',
  )
}

/** The host and the port of a URL that {@link databaseUrl} gave, and nothing else of it. */
export function hostAndPort(url: string): string {
  const parsed = parseUrl(url)
  if (!parsed) return 'the connection string'
  const { hostname, port, searchParams } = parsed
  return `${searchParams.get('host') ?? (hostname || 'localhost')}:${searchParams.get('port') ?? (port || '5432')}`
}

/** No message has more of the URL than how it begins: the rest may be a password. */
function postgresUrl(url: string, source: string): string {
  if (!/^postgres(ql)?:\/\//.test(url)) {
    const scheme = /^[a-z][a-z0-9+.-]*:(?=\/\/|\.)/.exec(url)?.[0]
    const state = scheme === undefined ? 'no PostgreSQL URL' : `a ${scheme} URL and no PostgreSQL URL`
    const isPrismas = scheme === 'prisma:' || scheme === 'prisma+postgres:'
    const fix = isPrismas
      ? 'Prisma answers there, not PostgreSQL. Give that of the database behind it'
      : 'Give one'
    throw new AuditError(
      'AUDIT_CLI',
      `${source} is ${state}. ${fix}: postgresql://user:password@host:5432/database.`,
    )
  }
  const parsed = parseUrl(url)
  if (parsed && !isCutInPassword(parsed)) return url
  throw new AuditError(
    'AUDIT_CLI',
    `${source} is a PostgreSQL URL that can't be read. In user name and password write #, /, ?, % and @ percent-encoded: # is %23. The form is postgresql://user:password@host:5432/database.`,
  )
}

/** An unescaped / or # or ? in the password ends the host before it, and the password's beginning reads as a port. */
function isCutInPassword({ username, pathname, search, hash }: URL): boolean {
  return username === '' && `${pathname}${hash}${pathname === '' ? search : ''}`.includes('@')
}

function parseUrl(url: string): URL | undefined {
  try {
    return new URL(url.replace('@/', '@localhost/')) // PostgreSQL takes it without a host
  } catch {
    return undefined
  }
}
