import { expect, it } from 'vitest'
import { fillMonths, partitionLog } from '../partitions/partitioned.ts'
import { startOwnServer } from '../proof/own-server.ts'
import { maintainBy, temporaryArchive } from './retained.ts'

// other tests would wait for the transaction, too
const { database: db } = await startOwnServer()

it('no month is closed while a transaction is open that began before', async () => {
  await partitionLog(db)
  await fillMonths(db, 2, 400)
  const { archive } = await temporaryArchive()
  const client = await db.pool.connect()
  try {
    await client.query(`BEGIN; SELECT pg_current_xact_id()`)
    expect(await maintainBy(db, { default: '1 day', archive })).toEqual([
      expect.objectContaining({ action: 'wait for', why: expect.stringContaining('a transaction is open') }),
    ])
  } finally {
    await client.query('ROLLBACK')
    client.release()
  }
  const actions = await maintainBy(db, { default: '1 day', archive })
  expect(actions.map(({ action }) => action)).not.toContain('wait for')
})
