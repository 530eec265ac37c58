/** Runs the log's own SQL, which is never audited: on the client's pool, or inside one interactive transaction. */
export interface SqlClient {
  /** Returns the rows as Prisma's raw queries do: bigint for int8, Date for timestamptz, JSON parsed. */
  query<Row = Record<string, unknown>>(sql: string, ...values: readonly unknown[]): Promise<Row[]>
}
