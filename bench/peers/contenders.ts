import { byHand } from './by-hand.ts'
import type { Contender } from './contender.ts'
import { explita } from './explita.ts'
import { prismaAudit, prismaAuditTriggers } from './prisma-audit.ts'
import { rowTriggers } from './row-triggers.ts'
import { sameEntryTriggers } from './same-entry.ts'
import { thisLibrary, thisLibraryPreparing, withTriggers, withTriggersPreparing } from './this-library.ts'
import { unaudited, unauditedPreparing } from './unaudited.ts'

export const contenders: readonly Contender[] = [
  ...[unaudited, withTriggers, thisLibrary],
  ...[unauditedPreparing, withTriggersPreparing, thisLibraryPreparing],
  ...[sameEntryTriggers, rowTriggers, byHand, explita, prismaAudit, prismaAuditTriggers],
]
