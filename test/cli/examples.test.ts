import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { applyMigrations, driftScript } from '../../scripts/schema-engine.ts'
import { planInit } from '../../src/cli/init.ts'
import { planTriggers } from '../../src/cli/triggers.ts'
import { createDatabase } from '../support/database.ts'
import { migrations as shippedMigrations } from '../support/migration.ts'

describe.each(['demo', 'express', 'hono', 'nestjs'])('the example %s', (example) => {
  const directory = resolve('examples', example)

  it('has the audit log as the package ships it', async () => {
    // after a change: node scripts/migrations.mjs
    const copies = [
      '20260101000000_audit_log',
      '20260201000000_audit_log_functions',
      '20260401000000_audit_log_readers',
      '20260501000000_audit_log_seals',
      '20260601000000_audit_log_partitions',
      '20260701000000_audit_log_erasure',
    ].map((folder) => readFile(`${directory}/prisma/migrations/${folder}/migration.sql`, 'utf8'))
    expect(await Promise.all(copies)).toEqual(shippedMigrations)
    expect((await planInit({ directory })).writes).toEqual([])
  })

  it('has triggers for all that its schema and its audit.config.ts say', async () => {
    const { changes, notes } = await planTriggers({ directory })
    expect({ changes, notes }).toEqual({ changes: [], notes: [] })
  })

  it('has migrations that make what its schema says', async () => {
    const database = await createDatabase({ template: 'template0' })
    await applyMigrations(database.url, `${directory}/prisma/migrations`)
    const schema = await readFile(`${directory}/prisma/schema.prisma`, 'utf8')
    expect((await driftScript(database.url, schema)).trim()).toBe('-- This is an empty migration.')
  })
})
