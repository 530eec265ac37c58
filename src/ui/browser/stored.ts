/** A choice of the reader's that the browser keeps; one without storage forgets it with the document. */
export function stored<Value extends string>(key: string, values: readonly Value[]) {
  let chosen: string | undefined
  return {
    read(): Value | undefined {
      let value: string | null | undefined = chosen
      try {
        value ??= localStorage.getItem(key)
      } catch {
        // as if nothing were stored
      }
      return values.find((known) => known === value)
    },
    write(value: Value): void {
      chosen = value
      try {
        localStorage.setItem(key, value)
      } catch {
        // the document keeps it
      }
    },
  }
}

/** Makes a value when it is first needed. */
export function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined
  return () => {
    made ??= make()
    return made
  }
}
