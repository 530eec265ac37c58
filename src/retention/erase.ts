import { validate as isUuid } from 'uuid'
import * as z from 'zod/mini'
import type { UnerasedQuestion } from '../archive-contract.ts'
import { currentContext } from '../attribution.ts'
import { storableText } from '../context/context-schema.ts'
import { AuditError } from '../errors.ts'
import type { Log } from '../log/log.ts'
import { unansweredQuestion } from '../log/readable.ts'
import { missingStates } from '../log/write-error.ts'
import type { ModelName, RecordId } from '../models/model-types.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { sqlStateOf } from '../postgres/sql-state.ts'
import { check } from '../search/check.ts'
import { parseRecordId } from '../values/resource-id.ts'

/** Whose entries: those of one record, those of one actor, or these. */
export type ErasureSubject<Client, Model extends ModelName<Client>> =
  | { readonly model: Model; readonly id: RecordId<Client, Model> }
  | { readonly actor: string }
  | readonly string[]

export interface EraseOptions {
  /** Why. It is in the log for good, so it should name nobody. */
  readonly reason: string
  /**
   * Only these: fields of records, keys of `details`, and parts of an entry by their names, `actor.email`, `ip`, `userAgent`, `reason`.
   * Ids are erased only where they are named: `actor.id`, `resource.id`, `target.id`, `ids`.
   */
  readonly fields?: readonly string[]
}

/** What was erased. */
export interface ErasureResult {
  /** From how many entries. */
  readonly erased: number
  /** The entries `auditLog.erase` that tell of it: one, or one for each thousand. None where there was nothing to erase. */
  readonly entryIds: readonly string[]
  /**
   * How many entries of the subject the archive has with their values: its files can't be changed. A month that comes back is erased as it
   * comes. Left out where that is not known: without the option `retention`, or where the archive can't be read now.
   */
  readonly archived?: number
}

/** The part of `$audit` that erases personal values. */
export interface Erasure<Client> {
  /**
   * Erases personal values from the entries of one subject, for good, and the salts of their seals with them. What they were
   * reads `"[erased]"`; every proof still holds. One transaction, which is itself an entry `auditLog.erase`: how many, who, why, and
   * what each entry is from then on, so that none can be altered further unnoticed.
   *
   * Without `fields` it erases `before`, `after`, `reason`, `details`, the actor's e-mail address, `ip` and `userAgent`. The names of
   * fields stay, null stays null, and so do ids: the actor's, the record's, those of targets, and of records that were read. Entries about
   * the log itself stay as they are. See docs/erasure.md.
   *
   * Only a role with EXECUTE on the log's function `audit_logs_erase` may.
   *
   * @param subject `{ model, id }`, `{ actor }` with the actor's id, or ids of entries
   * @throws AuditError `AUDIT_ERASE_REFUSED` where the role may not; `AUDIT_NOT_SEALED` where the log is sealed and some of the entries
   * are not yet; `AUDIT_INVALID_FILTER`; `AUDIT_ACTOR_REQUIRED`; `AUDIT_TABLE_MISSING`
   *
   * @example
   * ```ts
   * await prisma.$audit.erase({ model: 'User', id: 42 }, { reason: 'request 2026-17' })
   * await prisma.$audit.erase({ actor: 'ada' }, { reason: 'request 2026-17', fields: ['actor.email', 'ip', 'userAgent'] })
   * ```
   */
  erase<Model extends ModelName<Client>>(
    subject: ErasureSubject<Client, Model>,
    options: EraseOptions,
  ): Promise<ErasureResult>
}

const text = storableText.check(z.minLength(1))

const subjectSchema = z.union(
  [
    z.array(z.string().check(z.refine(isUuid, 'the id of an entry is a UUID'))).check(z.minLength(1)),
    z.strictObject({ actor: text }),
    z.strictObject({ model: text, id: z.unknown() }),
  ],
  { error: 'must be { model, id }, { actor }, or a list of at least one id of an entry' },
)

const optionsSchema = z.strictObject({
  reason: text.check(z.regex(/\S/, 'must say why')),
  fields: z.optional(z.array(text).check(z.minLength(1))),
})

const notDone = 'nothing was erased'

export function createErasure<Client>(log: Log): Erasure<Client> {
  return { erase: (subject, options) => erase(log, subject, options) }
}

async function erase(log: Log, subject: unknown, options: EraseOptions): Promise<ErasureResult> {
  const { reason, fields } = check('The options of the erasure', optionsSchema, options, notDone)
  const about = await subjectOf(log, check('The subject of the erasure', subjectSchema, subject, notDone))
  const models = await log.models.all(log.connection)
  const keys = models.map(({ resource, key }) => [resource, key.map(({ name }) => name)])
  const [subjectText, keysText, eraserText] = [about, Object.fromEntries(keys), eraserColumns(log)].map(
    (value) => JSON.stringify(value),
  )
  const [row] = await log.connection
    .query<{ result: ErasureRow }>(
      `SELECT ${eraseFunction(log)}($1::text::jsonb, $2::text, ARRAY(SELECT pg_catalog.json_array_elements_text($3::text::json)), $4::text::jsonb, $5::text::jsonb) AS result`,
      ...[subjectText, reason, JSON.stringify(fields ?? []), keysText, eraserText],
    )
    .catch((error: unknown) => {
      throw refusedErasure(log, error)
    })
  const { erased = 0, entries = [] } = row?.result ?? {}
  const archived = await countArchived(log, about)
  return { erased, entryIds: entries, ...(archived !== undefined && { archived }) }
}

/** The function that erases, which the role has to be allowed to execute. */
function eraseFunction({ options: { table } }: Log): string {
  return quoteTable({ ...table, name: `${table.name}_erase` })
}

interface ErasureRow {
  readonly erased?: number
  readonly entries?: readonly string[]
}

/** As the log's function takes it. */
type Subject =
  | { readonly entries: readonly string[] }
  | { readonly actor: string }
  | { readonly resource: string; readonly id: string }

/** What is erased stays so, whatever the archive says. */
async function countArchived({ archive }: Log, subject: Subject): Promise<number | undefined> {
  return archive?.countUnerased(unerasedOf(subject)).catch(() => undefined)
}

function unerasedOf(subject: Subject): UnerasedQuestion {
  if ('entries' in subject) return { conditions: {}, ids: subject.entries.map((id) => id.toLowerCase()) }
  if ('actor' in subject) return { conditions: { actorId: subject.actor } }
  const { resource, id } = subject
  // the id by itself: reads that gave the record among others are not of it
  return { conditions: { resourceType: resource, within: { resourceId: id } } }
}

async function subjectOf(log: Log, subject: z.output<typeof subjectSchema>): Promise<Subject> {
  if (Array.isArray(subject)) return { entries: subject }
  if ('actor' in subject) return subject
  const model = await log.models.get(subject.model, log.connection)
  return { resource: model.resource, id: parseRecordId(model, subject.id) }
}

/** Who erases, as columns of the entry. */
function eraserColumns({ options }: Log): object {
  const { context, hasActor } = currentContext(options)
  if (options.requireActor && !hasActor) {
    throw new AuditError(
      'AUDIT_ACTOR_REQUIRED',
      'An erasure has no actor, and the option requireActor is set. Nothing was erased. Run it inside withAuditContext({ actor: { id, type } }, …).',
    )
  }
  const { actor, requestId, ip, userAgent, organizationId, metadata } = context
  return {
    ...{ actor_id: actor.id, actor_type: actor.type, actor_email: actor.email },
    ...{ request_id: requestId, ip, user_agent: userAgent, organization_id: organizationId },
    details: { metadata },
  }
}

function refusedErasure(log: Log, cause: unknown): AuditError {
  const state = sqlStateOf(cause)
  const { table } = log.options
  const name = quoteTable(table)
  if (missingStates.has(state ?? '')) return unansweredQuestion(cause, table)
  if (state === 'ZA008') {
    return new AuditError(
      'AUDIT_NOT_SEALED',
      `Some of the entries of ${name} to erase are not sealed yet, so nothing was erased: what is sealed proves that it was there. Seal the log, with "npx prisma-extension-audit seal --once", and erase again.`,
      { cause },
    )
  }
  const why =
    state === '42501'
      ? `the role may not execute the function ${eraseFunction(log)}. GRANT EXECUTE on it to the role that is to erase, and to no other`
      : state === undefined
        ? 'the database did not answer. Make sure that it can be reached, and erase again: what is erased already is left out'
        : `the database refused with SQLSTATE ${state}. See cause`
  return new AuditError('AUDIT_ERASE_REFUSED', `Nothing was erased from the audit log ${name}: ${why}.`, {
    cause,
  })
}
