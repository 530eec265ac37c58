import { readFile } from 'node:fs/promises'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startServer } from '../../scripts/postgres.ts'
import { applyMigrations, createScript } from '../../scripts/schema-engine.ts'
import { watchedTables, watchLaterTables, watchTables } from './watch.ts'

declare module 'vitest' {
  interface ProvidedContext {
    serverUrl: string
    template: string
  }
}

/** Vitest's global set-up: one server, and a template database that each test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer()
  const template = `audit_template_${process.pid}`
  const admin = new pg.Client(server.url)
  await admin.connect()
  await admin.query(`CREATE DATABASE ${template}`)

  await createTables(databaseUrl(server.url, template))

  project.provide('serverUrl', server.url)
  project.provide('template', template)
  return async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`)
    await admin.end()
    await server.stop()
  }
}

/** Makes the log and the tables of the test schema in an empty database. */
export async function createTables(url: string): Promise<void> {
  await applyMigrations(url, 'prisma/migrations')
  const schema = await readFile('test/prisma/schema.prisma', 'utf8')
  const withoutLog = schema.replace(/model AuditLog \{[^}]*\}/, '')
  const client = new pg.Client(url)
  await client.connect()
  await client.query('CREATE EXTENSION IF NOT EXISTS citext')
  await client.query(await createScript(url, withoutLog))
  await client.query(await readFile('test/prisma/triggers.sql', 'utf8'))
  const sql: Parameters<typeof watchTables>[0]['sql'] = async (text, values) =>
    (await client.query(text, values)).rows as never
  await watchTables({ sql }, schema, watchedTables)
  await watchLaterTables({ sql }, watchedTables)
  await client.end()
}

export function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return url.toString()
}
