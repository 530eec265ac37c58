import { PrismaPg } from '@prisma/adapter-pg'
import { expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createDatabase } from '../support/database.ts'
import { expectEntriesToMatchOracle, installOracle, markOracle } from '../support/oracle.ts'
import { proofFactor, proofSeed } from './own-server.ts'
import { randomOf } from './workload.ts'

const writers = 8
const toggles = 50 * proofFactor

/** Tables that come to be watched and no longer are, among them one that a cascade reaches, and one that starts it. */
const tables = { '"Post"': 'post', '"Comment"': 'comment', '"Tag"': 'tag' }

const db = await createDatabase()
await installOracle(db)

for (const level of ['read committed', 'repeatable read']) {
  for (const named of [false, true]) {
    it(`no change without its entry and none with two, while triggers come and go: ${level}${named ? ', named statements' : ''} (PROOF_SEED=${proofSeed})`, {
      timeout: 300_000,
    }, async () => {
      const random = randomOf(proofSeed + level.length + Number(named))
      const adapter = new PrismaPg(
        {
          connectionString: db.url,
          options: `-c default_transaction_isolation=${level.replace(' ', '\\ ')} -c deadlock_timeout=100ms`,
          max: 2 * writers,
        },
        named ? { statementNameGenerator: ({ sql }) => `s${hash(sql)}` } : undefined,
      )
      const client = withAudit(
        new PrismaClient({ adapter, transactionOptions: { timeout: 30_000, maxWait: 30_000 } }),
        {
          failures: false,
        },
      )
      await db.sql('TRUNCATE "Post", "Tag" CASCADE')
      const mark = await markOracle(db)
      const refused = new Map<string, number>()
      let isDone = false
      const write = async (writer: number, turn: number) => {
        const id = `${writer}-${turn}`
        await client.post.create({
          data: { id, title: 'a', comments: { create: [{ text: 'x' }, { text: 'y' }] } },
        })
        await client.tag.create({ data: { name: id } })
        await client.$transaction(async (tx) => {
          await tx.post.update({ where: { id }, data: { title: 'b' } })
          await tx.comment.updateMany({ where: { postId: id }, data: { text: 'z' } })
        })
        await client.tag.updateMany({ where: { name: id }, data: { name: `${id}!` } })
        await client.post.delete({ where: { id } })
      }
      const writing = Array.from({ length: writers }, async (_, writer) => {
        for (let turn = 0; !isDone; turn++) {
          await write(writer, turn).catch((error: { code?: string; name?: string }) => {
            const code = error.code ?? error.name ?? 'unknown'
            refused.set(code, (refused.get(code) ?? 0) + 1)
          })
        }
      })
      for (let toggle = 0; toggle < toggles; toggle++) {
        const [table, resource] = Object.entries(tables)[random(3)] as [string, string]
        // of a table that is only reached nobody looks at the triggers, so these are disabled by nobody here
        const action = random(resource === 'comment' ? 2 : 3)
        const sql = [
          `SELECT audit_logs_watch('${table}', '${resource}')`,
          `SELECT audit_logs_unwatch('${table}')`,
          // all but those that know the truth
          `BEGIN; ALTER TABLE ${table} DISABLE TRIGGER ALL; ${['INSERT', 'UPDATE', 'DELETE']
            .map((verb) => `ALTER TABLE ${table} ENABLE TRIGGER "A_oracle_${verb}";`)
            .join(' ')} ${foreignKeys(table)} COMMIT`,
        ][action] as string
        await db.sql(sql).catch((error: { code?: string }) => {
          if (error.code !== '40P01') throw error
        })
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      isDone = true
      await Promise.all(writing)
      await client.$disconnect()
      expect(await expectEntriesToMatchOracle(db, mark)).toBeGreaterThan(toggles)
      const withoutContext = await db.sql(
        `SELECT * FROM audit_logs WHERE seq > $1 AND details ? 'source' AND action !~ '^auditLog[.]'`,
        [mark.seq],
      )
      expect(withoutContext).toEqual([])
      const expected = ['AUDIT_SCHEMA_CHANGED', 'P2034', 'P2010', 'P2025', 'P2003', 'P2039']
      expect([...refused.keys()].filter((code) => !expected.includes(code))).toEqual([])
    })
  }
}

/** Foreign keys work by triggers, too. */
function foreignKeys(table: string): string {
  return `DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tgname FROM pg_trigger WHERE tgrelid = '${table}'::regclass AND tgisinternal
    LOOP EXECUTE format('ALTER TABLE ${table} ENABLE TRIGGER %I', name); END LOOP; END $$;`
}

function hash(sql: string): string {
  let value = 0
  for (let index = 0; index < sql.length; index++) value = (Math.imul(value, 31) + sql.charCodeAt(index)) | 0
  return `${value >>> 0}_${sql.length}`
}
