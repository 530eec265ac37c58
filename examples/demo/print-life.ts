import type { Atlas } from './atlas.ts'
import { type Entry, fieldChanges, readEntries, verbOf } from './log.ts'
import { paint, print, printHeading } from './terminal.ts'

/** All that ever happened to one record: when, who, from where, why, and each field before and after. */
export async function printLife(prisma: Atlas, resourceType: string, resourceId: string): Promise<void> {
  printHeading(`The life of ${resourceType} ${resourceId}`, 'every entry of one record')
  let previous: Entry | undefined
  for (const entry of await readEntries(prisma, { resourceType, resourceId })) {
    if (!belongTogether(previous, entry)) {
      if (previous) print()
      printWho(entry)
    }
    printDiff(entry)
    previous = entry
  }
}

/** Links that were made in one transaction share a heading: a country gets all of its languages at once. */
function belongTogether(one: Entry | undefined, other: Entry): boolean {
  return one?.transactionId === other.transactionId && one.action === other.action
}

function printWho(entry: Entry): void {
  const { timestamp, action, actorId, actorType, actorEmail, organizationId, ip, userAgent, requestId } =
    entry
  const details = [actorEmail ?? actorType, organizationId, ip, userAgent, requestId]
    .filter(Boolean)
    .join(' · ')
  print(`  ${paint('dim', timestamp.toISOString())}  ${paint('bold', action)} by ${paint('bold', actorId)}`)
  print(`    ${paint('dim', details)}`)
  if (entry.reason) print(`    ${paint('italic', `“${entry.reason}”`)}`)
}

function printDiff(entry: Entry): void {
  const { relation = '', target } = entry.details
  if (target && verbOf(entry.action) === 'connect') printAdded(relation, target.id)
  else if (target) printRemoved(relation, target.id)
  for (const { field, before, after } of target ? [] : fieldChanges(entry)) {
    if (before !== undefined) printRemoved(field, before)
    if (after !== undefined) printAdded(field, after)
  }
}

function printRemoved(field: string, value: string): void {
  print(paint('red', `    - ${field.padEnd(10)}  ${value}`))
}

function printAdded(field: string, value: string): void {
  print(paint('green', `    + ${field.padEnd(10)}  ${value}`))
}
