import type { Anchor } from '../anchor.ts'
import type { AuditError } from '../errors.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { Anchoring } from '../seal/anchoring.ts'
import { writeTiles } from '../seal/export-tiles.ts'
import { Sealer } from '../seal/sealer.ts'
import { sealOn } from '../seal/sealing.ts'
import { openSigner, type Signer } from '../seal/signer.ts'
import type { ResolvedSeal } from '../seal-options.ts'
import { loadAuditConfig } from './audit-config.ts'
import { notConfigured, sealIn } from './config-options.ts'
import { withReaderLog } from './open-log.ts'
import { countedEntries } from './quantity.ts'
import { tableOption } from './usage.ts'

/** What `seal` did. */
export interface SealResult {
  readonly entries: number
  readonly checkpoints: number
  /** The newest checkpoint that was added; null where there was nothing to seal. */
  readonly checkpoint: { readonly number: number; readonly size: number } | null
}

/**
 * Seals the log of the project in `directory`, until `signal` aborts; with `once` until all that is committed is sealed.
 *
 * @param options.tiles a directory for the tree as C2SP tlog-tiles; written at the end, and after every pause
 * @param note told what begins, and each error
 * @throws AuditError `AUDIT_CLI` where the configuration has no option seal, or there is no database
 */
export async function sealLog(
  directory: string,
  options: { table: string | undefined; once: boolean; tiles: string | undefined; signal: AbortSignal },
  note: (text: string) => void,
): Promise<SealResult> {
  const config = await loadAuditConfig(directory)
  const seal = sealIn(config)
  if (!seal) {
    throw notConfigured(
      config,
      'option seal',
      "there is no key to sign with. Write: export default defineAudit({ seal: { key: { environment: 'AUDIT_SEAL_KEY' } } }). See docs/seals.md.",
    )
  }
  const table = tableOption(options.table ?? config.options.table)
  const signer = await openSigner(seal)
  return withReaderLog(directory, table, async (log) => {
    note(sealingNote(table, signer, options.once))
    const result = options.once
      ? await sealOnce(log, signer, seal.anchors, options.signal)
      : await sealUntil(log, signer, seal, options, note)
    if (options.tiles !== undefined) await writeTiles(log, options.tiles)
    return result
  })
}

/** What a command that seals says when it begins. */
export function sealingNote(table: TableName, { keys, origin }: Signer, once: boolean): string {
  const { name, id } = keys[keys.length - 1] as Signer['keys'][number]
  return `Sealing ${quoteTable(table)} as ${origin}, signed by ${name}+${id}.${once ? '' : ' Ctrl-C ends it.'}`
}

/**
 * Seals all that is committed by now, and publishes it.
 *
 * @throws AuditError `AUDIT_ANCHOR_FAILED`
 */
export async function sealOnce(
  log: ReaderLog,
  signer: Signer,
  anchors: readonly Anchor[],
  signal: AbortSignal,
): Promise<SealResult> {
  const sealer = new Sealer(log, signer)
  let result: SealResult = { entries: 0, checkpoints: 0, checkpoint: null }
  for (let isMore = true; isMore && !signal.aborted; ) {
    const step = await sealer.step()
    isMore = step.isMore
    if (!step.added) continue
    const { number, size, entries } = step.added
    result = {
      ...{ entries: result.entries + entries, checkpoints: result.checkpoints + 1 },
      checkpoint: { number, size },
    }
  }
  for (const anchor of signal.aborted ? [] : anchors) await new Anchoring(log, signer, anchor).step(signal)
  return result
}

async function sealUntil(
  log: ReaderLog,
  signer: Signer,
  { every, anchors }: ResolvedSeal,
  { tiles, signal }: { tiles: string | undefined; signal: AbortSignal },
  note: (text: string) => void,
): Promise<SealResult> {
  const onError = (error: AuditError) => note(error.message)
  const sealing = sealOn(log, signer, { every, anchors, onError })
  const stop = () => void sealing.stop()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const timer = setInterval(() => {
    if (tiles !== undefined) writeTiles(log, tiles).catch((error: Error) => note(error.message))
  }, every)
  await sealing.stopped
  clearInterval(timer)
  const { entries, checkpoints, checkpoint } = sealing.metrics()
  return { entries, checkpoints, checkpoint }
}

export function describeSealing({ entries, checkpoints, checkpoint }: SealResult): string {
  if (!checkpoint) return 'Nothing to seal\n'
  const counts = `${countedEntries(entries)} in ${checkpoints} ${checkpoints === 1 ? 'checkpoint' : 'checkpoints'}`
  return `Sealed ${counts}. Checkpoint ${checkpoint.number} covers ${checkpoint.size}\n`
}
