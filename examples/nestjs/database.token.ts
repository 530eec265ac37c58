/** Where Nest finds the client. */
export const DATABASE = Symbol('database')
