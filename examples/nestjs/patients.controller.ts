import { Body, Controller, Get, Inject, Param, ParseIntPipe, Post, UseGuards } from '@nestjs/common'
import { DATABASE } from './database.token.ts'
import type { Database } from './database.ts'
import { StaffGuard } from './staff.guard.ts'

@Controller('patients')
@UseGuards(StaffGuard)
export class PatientsController {
  readonly #db: Database

  constructor(@Inject(DATABASE) db: Database) {
    this.#db = db
  }

  @Get(':id')
  find(@Param('id', ParseIntPipe) id: number) {
    return this.#db.patient.findUniqueOrThrow({ where: { id }, include: { prescriptions: true } })
  }

  @Post()
  admit(@Body() { name, born, insuranceId }: { name: string; born: string; insuranceId: string }) {
    return this.#db.patient.create({ data: { name, born: new Date(born), insuranceId } })
  }

  @Post(':id/prescriptions')
  prescribe(
    @Param('id', ParseIntPipe) patientId: number,
    @Body() { drug, dose }: { drug: string; dose: string },
  ) {
    return this.#db.prescription.create({ data: { patientId, drug, dose } })
  }

  /** Who looked at this patient, or changed something: what HIPAA lets a patient ask. */
  @Get(':id/accesses')
  async accesses(@Param('id', ParseIntPipe) id: number) {
    const { entries } = await this.#db.$audit.history('Patient', id)
    return entries.map(({ timestamp, action, actor, ip }) => ({ timestamp, action, actor, ip }))
  }
}
