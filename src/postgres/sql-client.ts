/** Runs SQL of the log's own, outside every audit: on the client's pool, or inside one interactive transaction. */
export interface SqlClient {
  /** Gives the rows as Prisma's raw queries do: bigint for int8, Date for timestamptz, JSON parsed. */
  query<Row = Record<string, unknown>>(sql: string, ...values: readonly unknown[]): Promise<Row[]>
}
