import { type DynamicModule, Module } from '@nestjs/common'
import { AuditContextModule } from 'prisma-extension-audit/nestjs'
import { DATABASE } from './database.token.ts'
import type { Database } from './database.ts'
import { PatientsController } from './patients.controller.ts'
import type { StaffRequest } from './staff.guard.ts'

@Module({})
export class AppModule {
  static withDatabase(db: Database): DynamicModule {
    return {
      module: AppModule,
      imports: [
        AuditContextModule.forRoot<StaffRequest>({
          // a guard puts the staff on the request, after the module's middleware has run
          actor: ({ staff }) => staff && { id: staff.id, type: 'user' },
          organizationId: ({ staff }) => staff?.ward,
        }),
      ],
      controllers: [PatientsController],
      providers: [{ provide: DATABASE, useValue: db }],
    }
  }
}
