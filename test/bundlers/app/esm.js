import { PrismaClient } from '../generated/esm.js'
import { answer } from './answer.js'

export const handler = () => answer(PrismaClient)
