import { afterAll, beforeAll, expect, it } from 'vitest'
import { basic, expectHistory } from '../shared/log-of-example.ts'
import { type RunningExample, runExample } from '../shared/run-example.ts'

let app: RunningExample
beforeAll(async () => {
  app = await runExample('nestjs')
})
afterAll(() => app.stop())

const kim = { headers: { authorization: 'dr-kim@ward-3' } }
const lee = { headers: { authorization: 'nurse-lee@ward-3' } }

it('tells a patient who saw the record', async () => {
  const patient = { name: 'Pat', born: '1980-02-29', insuranceId: 'A-1234-567' }
  expect((await app.request('POST', '/patients', { ...kim, body: patient })).status).toBe(201)
  const prescription = { drug: 'ibuprofen', dose: '400 mg' }
  await app.request('POST', '/patients/1/prescriptions', { ...kim, body: prescription })
  const seen = await app.request('GET', '/patients/1', lee)
  expect(seen.body).toMatchObject({
    ...patient,
    born: '1980-02-29T00:00:00.000Z',
    prescriptions: [prescription],
  })

  expect((await app.request('GET', '/patients/1/accesses', kim)).body).toMatchObject([
    { action: 'patient.read', actor: { id: 'nurse-lee', type: 'user' } },
    { action: 'patient.create', actor: { id: 'dr-kim', type: 'user' } },
  ])
})

it('lets in nobody but staff', async () => {
  expect((await app.request('GET', '/patients/1')).status).toBe(403)
})

it('prints the account that sees the log, which begins with weeks of history; / leads there', async () => {
  expect((await app.request('GET', '/audit')).status).toBe(401)
  const nurse = basic({ ...app.account, name: 'nurse-lee' })
  expect((await app.request('GET', '/audit/api/entries', { headers: nurse })).status).toBe(401)
  await expectHistory(app, basic(app.account))
})
