import type { Types } from '@prisma/client/runtime/client'
import type { Audit } from '../audit.ts'

/** A client that records its writes: the same type, and `$audit`, which transactions and `$extends` keep. */
export type Audited<Client> = {
  $audit: Audit<Client>
  $extends: AuditedExtends<Client>
  $transaction: AuditedTransaction<Client>
} & Client

/** The client's own `$extends`, as if an extension of the client had added `$audit`. */
type AuditedExtends<Client> = Client extends {
  $extends: Types.Extensions.ExtendsHook<'extends', infer TypeMapCb, infer ExtArgs, infer TypeMap>
}
  ? Types.Extensions.ExtendsHook<
      'extends',
      TypeMapCb,
      ExtArgs & { client: { $audit: () => Audit<Client> } },
      TypeMap
    >
  : unknown

/** The client's interactive `$transaction`, whose client has an `$audit` that commits with it. */
type AuditedTransaction<Client> = Client extends {
  // biome-ignore lint/suspicious/noExplicitAny: any result
  $transaction: (work: (tx: infer Transaction) => any, options?: infer Options) => any
}
  ? <R>(work: (tx: Transaction & { $audit: Audit<Client> }) => Promise<R>, options?: Options) => Promise<R>
  : unknown

/** What `withAudit` needs of a Prisma client. */
export interface PrismaClientLike {
  $extends: unknown
  $connect(): Promise<void>
  $transaction: unknown
}
