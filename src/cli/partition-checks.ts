import { describeDefault } from '../log/log-partitions.ts'
import { quoteIdentifier, quoteTable } from '../postgres/identifiers.ts'
import type { LogTable } from '../postgres/log-catalog.ts'
import { endOfPartitions } from '../postgres/partitions.ts'
import { type Check, missing, ok, warning } from './check.ts'

const maintenance = 'npx prisma-extension-audit maintain'

/** With less than this ahead, somebody should see to it that `maintain` runs: three months. */
const enough = 90 * 86_400_000

/** Whether a partitioned log has partitions for what comes, and each is as protected as the log. */
export function partitionChecks(table: LogTable): Check[] {
  const { partitions } = table
  if (!partitions) return table.isBounded ? [interrupted(table)] : []
  const open = partitions.partitions.filter(({ isProtected }) => !isProtected)
  const stray = partitions.partitions.filter(({ isDefault }) => isDefault)
  const months = partitions.partitions.filter(({ isDefault }) => !isDefault)
  const end = endOfPartitions({ ...partitions, partitions: months })
  return [
    checkEnd(months.length, partitions.now, end, stray.length > 0),
    ...stray.map((one) => {
      const text = `partition ${one.name}: ${describeDefault(one)}`
      return one.isEmpty ? warning(text) : missing(text)
    }),
    ...open.map(({ name }) =>
      missing(
        `partition ${name}: its own triggers do not refuse every UPDATE, DELETE and TRUNCATE: ${maintenance}`,
      ),
    ),
  ]
}

function checkEnd(count: number, now: number, end: number | undefined, hasDefault: boolean): Check {
  if (end === undefined && hasDefault) {
    return missing(`no month is for now, so the default partition takes what is recorded: ${maintenance}`)
  }
  if (end === undefined) {
    return missing(`no partition is for now, so every write that is recorded is refused: ${maintenance}`)
  }
  if (end === Infinity) return ok(`${count} partitions`)
  const until = new Date(end).toISOString().slice(0, 10)
  return end - now > enough
    ? ok(`${count} partitions, until ${until}`)
    : warning(
        `there are partitions until ${until} only, and from then on ${hasDefault ? 'the default partition takes what is recorded' : 'writes are refused'}: ${maintenance}`,
      )
}

function interrupted(table: LogTable): Check {
  const bound = quoteIdentifier(`${table.name}_partition_bound`)
  return missing(
    `the CHECK ${bound} of a conversion that was interrupted will refuse entries: npx prisma-extension-audit partition --convert, or ALTER TABLE ${quoteTable(table)} DROP CONSTRAINT ${bound}`,
  )
}
