import { readFile } from 'node:fs/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { withAudit } from '../src/index.ts'
import { PrismaClient } from '../test/generated/client/client.ts'
import { startEmbedded } from './postgres.ts'

// node --import tsx scripts/catalog-time.ts [tables]: how long the first writes take in a database of very many tables,
// with foreign keys among them, and again after a change of definitions. Run npm run generate before.

const count = Number(process.argv[2] ?? 10_000)

/** Families of ten, whose heads refer to each other without an action on deletion. */
const manyTables = `
DO $$ BEGIN FOR i IN 1..${count} LOOP
  EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY, parent int, name text NOT NULL, email varchar(100),
    amount numeric(10,2) DEFAULT 0, at timestamptz DEFAULT now(), tags text[], data jsonb)', i);
END LOOP; END $$;
DO $$ BEGIN FOR i IN 2..${count} LOOP
  EXECUTE format('ALTER TABLE many_%s ADD FOREIGN KEY (parent) REFERENCES many_%s ON UPDATE CASCADE ON DELETE %s', i,
    CASE i % 10 WHEN 1 THEN i - 10 ELSE (i - 1) / 10 * 10 + 1 END, CASE i % 10 WHEN 1 THEN 'RESTRICT' ELSE 'CASCADE' END);
END LOOP; END $$`

/** 62 tables, all of which a deletion in the first one reaches. */
const connectedTables = `
CREATE TABLE near_1 (id int PRIMARY KEY, parent int, name text);
DO $$ BEGIN FOR i IN 2..62 LOOP
  EXECUTE format('CREATE TABLE near_%s (id int PRIMARY KEY, name text, root int REFERENCES near_1 ON DELETE CASCADE,
    parent int REFERENCES near_%s ON UPDATE CASCADE ON DELETE %s)', i, i / 2, CASE i % 3 WHEN 0 THEN 'SET NULL' ELSE 'CASCADE' END);
END LOOP; END $$`

async function measure(url: string): Promise<void> {
  const prisma = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 1 }) }))
  const time = async (what: string, work: () => PromiseLike<unknown>) => {
    const start = performance.now()
    await work()
    console.log(`${what}: ${Math.round(performance.now() - start)} ms`)
  }
  await prisma.$queryRaw`SELECT 1`
  await time('first write', () => prisma.$executeRaw`INSERT INTO many_11 (id, name) VALUES (1, 'a')`)
  await time('the same again', () => prisma.$executeRaw`INSERT INTO many_11 (id, name) VALUES (2, 'a')`)
  await time('another table', () => prisma.$executeRaw`UPDATE many_22 SET name = 'b' WHERE id = 1`)
  await time('a delete that reaches nine', () => prisma.$executeRaw`DELETE FROM many_31 WHERE id = 1`)
  await time('insert where 61 are reached', () => prisma.$executeRaw`INSERT INTO near_1 (id) VALUES (1)`)
  await time('delete where 61 are reached', () => prisma.$executeRaw`DELETE FROM near_1 WHERE id = 1`)
  await prisma.$transaction(async (tx) => {
    await time('a temporary table', () => tx.$executeRaw`CREATE TEMP TABLE own (id int) ON COMMIT DROP`)
    await time('a write after it', () => tx.$executeRaw`UPDATE many_11 SET name = 'c' WHERE id = 1`)
  })
  await time('a write after that', () => prisma.$executeRaw`UPDATE many_11 SET name = 'd' WHERE id = 1`)
  await time('a call of a function', () => prisma.$queryRaw`SELECT nextval('many_sequence'), writes()`)
  await time('verify', () => prisma.$audit.verify())
  await prisma.$disconnect()
}

const server = await startEmbedded('18', { max_locks_per_transaction: '1000' })
const pool = new pg.Pool({ connectionString: server.url })
try {
  for (const migration of ['20260101000000_audit_log', '20260201000000_audit_log_triggers'])
    await pool.query(await readFile(`prisma/migrations/${migration}/migration.sql`, 'utf8'))
  await pool.query(manyTables)
  await pool.query(connectedTables)
  await pool.query(`CREATE SEQUENCE many_sequence;
    CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$`)
  await pool.query('ANALYZE')
  await measure(server.url)
} finally {
  await pool.end()
  await server.stop()
}
