import type { AuditOptions } from './options.ts'

/**
 * The options of the audit in a file of their own, `audit.config.ts` beside `prisma.config.ts`: the application passes
 * them to `withAudit`, and the command line, which writes the triggers, finds them there. Gives them back as they are.
 *
 * @typeParam Client the type of your client, for names of models and fields that complete in the editor. Without it they
 * are checked where the options meet the client.
 *
 * @example
 * ```ts
 * // audit.config.ts
 * export default defineAudit({ models: { exclude: ['Session'] }, redact: { User: ['ssn'] } })
 *
 * // database.ts
 * const prisma = withAudit(new PrismaClient({ adapter }), audit)
 * ```
 */
export function defineAudit<
  Client = unknown,
  const Options extends AuditOptions<Client> = AuditOptions<Client>,
>(options: Options): Options {
  return options
}
