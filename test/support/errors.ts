import { expect } from 'vitest'
import { AuditError } from '../../src/index.ts'

/** The error that something throws or rejects with. */
export async function errorOf(work: () => unknown): Promise<Error & { code?: string }> {
  try {
    await work()
  } catch (error) {
    return error as Error
  }
  throw new Error('it should have failed')
}

/** The `AuditError` that something is refused with. */
export async function refusal(work: () => unknown): Promise<AuditError> {
  const error = await errorOf(work)
  expect(error).toBeInstanceOf(AuditError)
  return error as AuditError
}
