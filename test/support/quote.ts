/** A name as SQL has it. Tests don't ask the library how to quote. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
