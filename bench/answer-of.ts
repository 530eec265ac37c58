import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/**
 * What a process sends when its work is done, once it has ended.
 *
 * @param what of the process, for the error where it ends without it
 */
export async function answerOf<Answer extends object>(child: ChildProcess, what: string): Promise<Answer> {
  const exited = once(child, 'exit')
  const [answer] = (await Promise.race([once(child, 'message'), exited])) as [Answer | number | null]
  if (typeof answer !== 'object' || answer === null) {
    throw new Error(`The process ${what} ended with code ${answer}`)
  }
  await exited
  return answer
}
