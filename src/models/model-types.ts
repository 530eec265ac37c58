/**
 * Names of models and fields, inferred from a Prisma client. Every delegate of a generated client carries its
 * model's payload under a symbol; `$extends` keeps it.
 */
type PayloadOf<Delegate> = Delegate extends { [key: symbol]: { types: { payload: infer Payload } } }
  ? Payload
  : never

type PayloadsOf<Client> = {
  [Property in keyof Client & string as Property extends `$${string}` ? never : Property]: PayloadOf<
    Client[Property]
  >
}[keyof Client & string extends infer Key
  ? (Key extends `$${string}` ? never : Key) & keyof Client & string
  : never]

/** The models of a client by their names in the schema: `'User' | 'OrderItem'`. */
export type ModelName<Client> = unknown extends Client ? string : NameOf<PayloadsOf<Client>>

type NameOf<Payload> = Payload extends { name: infer Name extends string } ? Name : never

/** The scalar fields of a model. */
export type FieldName<Client, Model extends string> = unknown extends Client
  ? string
  : FieldOf<Extract<PayloadsOf<Client>, { name: Model }>>

type FieldOf<Payload> = Payload extends { scalars: infer Scalars } ? keyof Scalars & string : never

/**
 * What identifies one record of a model: the key's value, or the object that `findUnique` takes for it. A composite key
 * is given as its fields, `{ orderId, productId }`, or in Prisma's own form,
 * `{ orderId_productId: { orderId, productId } }`.
 *
 * Prisma's types tell unique fields from others, but not the primary key from other unique fields. So a field named
 * `id` is taken for the key; without one, every unique field type-checks.
 */
export type RecordId<Client, Model extends string> = unknown extends Client
  ? string | number | bigint | boolean | object
  : IdOf<WhereUnique<Client, Model>>

type WhereUnique<Client, Model extends string> =
  Uncapitalize<Model> extends infer Property extends keyof Client
    ? Client[Property] extends {
        [key: symbol]: { types: { operations: { findUnique: { args: { where: infer Where } } } } }
      }
      ? Where
      : never
    : never

type IdOf<Where> = 'id' extends UniqueKey<Where> ? IdForms<Where, 'id'> : IdForms<Where, UniqueKey<Where>>

type IdForms<Where, Key> = Key extends keyof Where
  ? NonNullable<Where[Key]> | { [Name in Key]: NonNullable<Where[Key]> }
  : never

/** `findUnique` requires at least one of the unique keys, so some member of the union requires each. */
type UniqueKey<Where> = Where extends unknown
  ? { [Key in keyof Where]-?: undefined extends Where[Key] ? never : Key }[keyof Where]
  : never

/** A record of a model with its scalar fields, without what an extension computes. */
export type ModelState<Client, Model extends string> = unknown extends Client
  ? Record<string, unknown>
  : StateOf<Extract<PayloadsOf<Client>, { name: Model }>, ColumnsOf<Client, Uncapitalize<Model>>>

type StateOf<Payload, Columns> = Payload extends { scalars: infer Scalars }
  ? { [Field in keyof Scalars & Columns]: Scalars[Field] }
  : never

/** A delegate's `fields` has the model's own fields only. */
type ColumnsOf<Client, Property extends string> = Property extends keyof Client
  ? Client[Property] extends { fields: infer Fields }
    ? keyof Fields
    : never
  : never
