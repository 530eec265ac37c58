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
