import { PrismaPg } from '@prisma/adapter-pg'
import { History, type Who } from '../shared/history.ts'
import { PrismaClient } from './generated/client/client.ts'

const days = 35

const staff = (id: string, ward: string, ip: string): Who => ({
  ...{ actor: { id, type: 'user' }, organizationId: ward, ip },
})
const kim = staff('dr-kim', 'ward-3', '198.51.100.31')
const lee = staff('nurse-lee', 'ward-3', '198.51.100.32')
const roy = staff('dr-roy', 'ward-5', '198.51.100.51')
const ana = staff('nurse-ana', 'ward-5', '198.51.100.52')

/** Numbers from another clinic, so that the first patient of this one is number 1. */
const first = 1001

const patients = [
  ['Amir Haddad', '1961-04-12', kim, 'amlodipine'],
  ['Beate Lang', '1974-09-30', roy, 'ibuprofen'],
  ['Chidi Obi', '1988-01-05', kim, 'amoxicillin'],
  ['Dora Kiss', '1955-11-23', roy, 'metformin'],
  ['Emil Novak', '1992-06-17', kim, 'cetirizine'],
  ['Fatou Diop', '1969-02-28', roy, 'ramipril'],
  ['Gil Peretz', '1980-08-08', kim, 'ibuprofen'],
  ['Hana Sato', '1946-12-01', roy, 'atorvastatin'],
] as const

/** Five weeks of two wards: the patients and what they got, in the tables and in the log, and who looked at them. */
export async function writeHistory(url: string): Promise<void> {
  const history = new History()
  for (let daysAgo = days; daysAgo > 0; daysAgo--) oneDay(history, daysAgo)
  // before triggers record the tables, and without withAudit: the history has these rows already
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
  for (const [index, [name, born, , drug]] of patients.entries()) {
    const id = first + index
    const { dose } = history.row('prescription', String(id)) as { dose: string }
    const prescriptions = { create: { id, drug, dose } }
    await prisma.patient.create({
      data: { id, name, born: new Date(born), insuranceId: insuranceId(id), prescriptions },
    })
  }
  await prisma.$disconnect()
  await history.write(url)
}

function oneDay(history: History, daysAgo: number): void {
  for (const [index, [name, born, doctor, drug]] of patients.entries()) {
    const [id, since] = [first + index, days - index * 3]
    const nurse = doctor === kim ? lee : ana
    if (daysAgo === since) {
      history.at(daysAgo, '10:00', doctor, () => {
        history.create('patient', String(id), { id, name, born, insuranceId: '[redacted]' })
      })
      history.at(daysAgo, '10:20', doctor, () => {
        history.create('prescription', String(id), { id, drug, dose: '200 mg', patientId: id })
      })
    }
    if (daysAgo >= since) continue
    if ((daysAgo + index) % 2 === 0) look(history, daysAgo, '07:40', nurse, id)
    if ((daysAgo + index) % 5 === 0) look(history, daysAgo, '15:10', doctor, id)
    if (daysAgo === since - 4) {
      history.at(daysAgo, '15:15', { ...doctor, reason: 'no effect yet' }, () =>
        history.update('prescription', String(id), { dose: '400 mg' }),
      )
    }
  }
  // somebody of the other ward: what such a log is for
  if (daysAgo === 6) look(history, daysAgo, '22:50', ana, first)
}

/** A look at a patient is one at the prescriptions, too. */
function look(history: History, daysAgo: number, time: string, who: Who, patient: number): void {
  const id = String(patient)
  const read = { ids: [id], count: 1, operation: 'findUniqueOrThrow' }
  history.at(daysAgo, time, who, () => {
    history.event('patient.read', {
      resource: { type: 'patient', id },
      details: { ...read, fields: ['id', 'name', 'born', 'insuranceId'], filter: { id: '?' } },
    })
    history.event('prescription.read', {
      resource: { type: 'prescription', id },
      details: { ...read, fields: ['id', 'drug', 'dose', 'patientId'], via: 'patient.prescriptions' },
    })
  })
}

function insuranceId(id: number): string {
  return `A-${id}-${(id * 37) % 1000}`
}
