import { readFile } from 'node:fs/promises'
import { AuditError } from '../errors.ts'
import { readerLog } from '../reader/reader-log.ts'
import { type CheckedProof, checkProof } from '../seal/check-proof.ts'
import { formatVerifierKey, parseVerifierKeys, type VerifierKey } from '../seal/keys.ts'
import { openSigner } from '../seal/signer.ts'
import type { Finding } from '../seal/verify/finding.ts'
import { type SealVerification, type VerifyOptions, verifyLog } from '../seal/verify/verify-log.ts'
import { anchorAt } from './anchors.ts'
import { loadAuditConfig } from './audit-config.ts'
import { sealIn } from './config-options.ts'
import { withLog } from './open-log.ts'
import { quantity } from './quantity.ts'
import { UsageError } from './usage.ts'

/** What `verify` got on its command line. */
export interface VerifyArguments extends Pick<VerifyOptions, 'since' | 'signal' | 'onProgress'> {
  readonly table: string | undefined
  /** A file with public keys. Without it, those of `audit.config.ts` count. */
  readonly key: string | undefined
  readonly origin: string | undefined
  /** Places of anchors, or names of those in `audit.config.ts`. */
  readonly anchors: readonly string[]
}

/** Verifies the log in the database of the project in `directory`. */
export async function verifyProject(
  directory: string,
  { table, key, origin, anchors: places, ...options }: VerifyArguments,
): Promise<SealVerification> {
  const keys = await trustedKeys(directory, key)
  const configured = places.length > 0 ? (sealIn(await loadAuditConfig(directory))?.anchors ?? []) : []
  const anchors = await Promise.all(places.map((place) => anchorAt(place, configured)))
  return withLog(table, (log) => verifyLog(readerLog(log), { ...options, keys, origin, anchors }))
}

/** Checks a proof in a file, without a database. */
export async function verifyProof(
  directory: string,
  file: string,
  key: string | undefined,
): Promise<CheckedProof> {
  const keys = await trustedKeys(directory, key)
  const text = await readGiven(file)
  try {
    return checkProof(JSON.parse(text), keys)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { ok: false, reason: `${file} is no JSON` }
  }
}

async function trustedKeys(directory: string, file: string | undefined): Promise<readonly VerifierKey[]> {
  if (file === undefined) return configuredKeys(directory)
  const keys = parseVerifierKeys(await readGiven(file))
  if (keys.length > 0) return keys
  throw new UsageError(`${file} has no key: a line for each, name+id+base64, from the oldest to the newest.`)
}

async function configuredKeys(directory: string): Promise<readonly VerifierKey[]> {
  const seal = sealIn(await loadAuditConfig(directory))
  if (seal) return (await openSigner(seal)).keys
  throw new UsageError(
    'Whose signatures count is not known: give the file with the public keys, --key audit.pub.',
  )
}

async function readGiven(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new AuditError('AUDIT_CLI', `${file} can't be read (${code}).`, { cause })
  }
}

/** What was found, for people. */
export function describeVerification(verification: SealVerification): string {
  const {
    ok,
    findings,
    found,
    entries,
    archived,
    unerased,
    checkpoints,
    anchored,
    verifiedUntil,
    unsealed,
    isComplete,
  } = verification
  const lines = findings.map(describeFinding)
  if (found > findings.length) lines.push(`… and ${found - findings.length} more`)
  const inArchive = archived === undefined ? '' : `, ${archived.toLocaleString('en')} of them in the archive,`
  const counted = `${quantity(entries, 'entry', 'entries')}${inArchive} and ${quantity(checkpoints, 'checkpoint', 'checkpoints')}`
  const state = ok
    ? '✔ nothing was altered'
    : `✘ ${found} ${found === 1 ? 'thing does' : 'things do'} not fit`
  lines.push(`${state}: ${counted} verified${isComplete ? '' : ', and not all of them'}`)
  lines.push(
    verifiedUntil
      ? `Checkpoint ${verifiedUntil.number} of ${verifiedUntil.createdAt} is the newest that fits. It covers ${quantity(verifiedUntil.size, 'entry', 'entries')}`
      : 'There is no checkpoint that fits',
  )
  if (anchored !== null) {
    lines.push(`Anchors have checkpoints of the first ${anchored.toLocaleString('en')} of them`)
  }
  if (unerased !== undefined) {
    lines.push(
      `! ${quantity(unerased, 'entry of the archive still has', 'entries of the archive still have')} values that were erased from the log since`,
    )
  }
  if (unsealed.entries > 0) {
    lines.push(
      `! ${quantity(unsealed.entries, 'entry is', 'entries are')} not sealed yet, and unprotected: the oldest for ${Math.round(unsealed.seconds)} s`,
    )
  }
  return `${lines.join('\n')}\n`
}

function describeFinding({ kind, message, entry, checkpoint }: Finding): string {
  const what =
    entry?.action === undefined
      ? ''
      : ` (now ${entry.action} of ${entry.resource} by ${entry.actor} at ${entry.timestamp})`
  const proof =
    checkpoint === undefined || kind === 'checkpoint' ? '' : `. Checkpoint ${checkpoint} proves it`
  return `✘ ${message}${what}${proof}`
}

/** What a proof shows, for people. */
export function describeProof(checked: CheckedProof): string {
  if (!checked.ok) return `✘ The proof shows nothing: ${checked.reason}\n`
  const { entry, index, checkpoint, signedBy } = checked
  const resource =
    entry.resource_id === null ? entry.resource_type : `${entry.resource_type}:${entry.resource_id}`
  return `✔ entry ${index} of the log ${checkpoint.origin}, signed by ${formatVerifierKey(signedBy).split('+').slice(0, 2).join('+')} when it had ${checkpoint.size}
${entry.timestamp}  ${entry.action} of ${resource} by ${entry.actor_type} ${entry.actor_id}: ${entry.outcome}
${entry.details ?? ''}
`
}
