import { mkdir, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configuredTable, loadAuditConfig } from '../../src/cli/audit-config.ts'
import { planInit } from '../../src/cli/init.ts'
import { planTriggers } from '../../src/cli/triggers.ts'
import { createDatabase } from '../support/database.ts'
import { logSql } from '../support/migration.ts'
import { createProject, datasource, type Project, runCli } from './project.ts'

/** Has the project's files import this package and its dependencies, as built. */
async function install(project: Project): Promise<void> {
  await mkdir(join(project.directory, 'node_modules'))
  await symlink(resolve('.'), join(project.directory, 'node_modules/prisma-extension-audit'))
}

const asModule = `import { defineAudit } from 'prisma-extension-audit'
export default defineAudit({ table: 'audit.trail' })`

describe('audit.config is found and loaded', () => {
  it.each([
    ['audit.config.ts', `${asModule} satisfies object as never`],
    ['audit.config.mts', asModule],
    ['audit.config.cts', `module.exports = { table: 'audit.trail' } as const`],
    ['audit.config.js', asModule],
    ['audit.config.mjs', asModule],
    ['audit.config.cjs', `module.exports = { table: 'audit.trail' }`],
    ['.config/audit.ts', asModule],
    ['.config/audit.js', asModule],
  ])('as %s', async (file, text) => {
    const project = await createProject({ [file]: text })
    await install(project)
    expect(await loadAuditConfig(project.directory)).toEqual({ file, options: { table: 'audit.trail' } })
  })

  it('with what it imports of the application', async () => {
    const project = await createProject({
      'audit.config.ts': `import { table } from './src/names'\nexport default { table: table as string }`,
      'src/names.ts': 'export const table: string = "trail"',
    })
    expect((await loadAuditConfig(project.directory)).options).toEqual({ table: 'trail' })
  })

  it('and every default holds without it', async () => {
    const project = await createProject({})
    expect(await loadAuditConfig(project.directory)).toEqual({ file: undefined, options: {} })
  })
})

describe('a file that can not be used', () => {
  const models = { 'schema.prisma': `${datasource()}\nmodel User {\n  id Int @id\n}\n` }

  it.each([
    [
      `throw new Error('no secrets here')`,
      'AUDIT_CLI',
      'audit.config.mjs could not be loaded: no secrets here.',
    ],
    [
      'export const audit = {}',
      'AUDIT_CLI',
      'audit.config.mjs exports no options. Write: export default defineAudit',
    ],
    ['export default 42', 'AUDIT_CLI', 'audit.config.mjs exports no options.'],
    [
      'export default { table: 42 }',
      'AUDIT_INVALID_OPTIONS',
      'In audit.config.mjs: the option table is no text.',
    ],
    [
      'export default { table: "a.b.c" }',
      'AUDIT_CLI',
      'In audit.config.mjs: The table "a.b.c" is not a table name.',
    ],
    ['export default { snapshot: "none" }', 'AUDIT_INVALID_OPTIONS', 'In audit.config.mjs: '],
    [
      'export default { redact: { User: ["ssn"] } }',
      'AUDIT_INVALID_OPTIONS',
      'In audit.config.mjs: The option redact names the field "ssn" of User',
    ],
    ['export default { unknown: true }', 'AUDIT_INVALID_OPTIONS', 'unknown'],
  ])('is named with the reason: %s', async (text, code, message) => {
    const project = await createProject({ ...models, 'audit.config.mjs': text })
    for (const plan of [planInit, planTriggers]) {
      await expect(plan({ directory: project.directory })).rejects.toMatchObject({
        ...{ name: 'AuditError', code },
        message: expect.stringContaining(message),
      })
    }
    expect(Object.keys(await project.snapshot())).toHaveLength(2)
  })
})

describe('the option table', () => {
  it('is what --table is by default', async () => {
    const project = await createProject({ 'audit.config.mjs': `export default { table: 'audit.trail' }` })
    expect(await configuredTable(project.directory)).toBe('audit.trail')
    expect(await configuredTable(project.directory, 'other')).toBe('other')
  })

  it('holds for init, which then has nothing to say of it', async () => {
    const project = await createProject({
      'schema.prisma': datasource('public', 'audit'),
      'audit.config.mjs': `export default { table: 'audit.trail' }`,
    })
    const { stdout } = await runCli(['init'], { cwd: project.directory })
    expect(await project.read('schema.prisma')).toContain('@@map("trail")')
    expect(stdout).not.toContain('withAudit')
  })

  it('holds for the commands that read', async () => {
    const database = await createDatabase({ template: 'template1' })
    await database.sql(await logSql({ schema: 'audit', name: 'trail' }))
    const project = await createProject({ 'audit.config.mjs': `export default { table: 'audit.trail' }` })
    const options = { cwd: project.directory, env: { DATABASE_URL: database.url } }
    expect((await runCli(['status'], options)).stdout).toContain('✔ table audit.trail\n')
    expect(await runCli(['tail'], options)).toEqual({
      code: 0,
      stdout: '',
      stderr: 'The audit log "audit"."trail" has no entries.\n',
    })
  })
})
