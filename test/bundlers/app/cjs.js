import { PrismaClient } from '../generated/cjs.cjs'
import { answer } from './answer.js'

export const handler = () => answer(PrismaClient)
