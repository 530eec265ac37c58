import type { ComponentChild } from 'preact'
import type { WireSeal } from '../wire.ts'
import { ask, useAnswer } from './api.ts'
import { html } from './html.ts'
import { formatNumber } from './language.ts'

/** What the seals say of an entry; nothing on a log without seals. */
export function SealState({ id }: { id: string }): ComponentChild {
  const { answer, error, loading } = useAnswer(id, (signal) => ask(`seals/${id}`, {}, signal))
  if (error) return html`<p class="seal muted">Whether it is sealed could not be read: ${error.message}</p>`
  // the answer before is of another entry
  if (!answer || loading) return null
  return html`<p class=${`seal is-${answer.state}`}>${wordsFor(answer)}</p>`
}

function wordsFor({ state, checkpoint, isErased, isArchived }: WireSeal): string {
  if (state === 'waiting') return 'Waiting to be sealed'
  if (state === 'broken') return 'Broken: it is not what was sealed, or its proof does not hold'
  const sealed = checkpoint === null ? 'Sealed' : `Sealed by checkpoint ${formatNumber(checkpoint)}`
  if (isArchived) {
    const state = isErased ? ', and values of it were erased since' : ''
    return `${sealed}${state}. The seal is in the database, the entry itself in the archive`
  }
  return isErased ? `${sealed}, and values of it were erased since` : sealed
}
