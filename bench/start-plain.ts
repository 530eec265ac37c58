import { firstWrite } from './start-process.ts'

await firstWrite((client) => client)
